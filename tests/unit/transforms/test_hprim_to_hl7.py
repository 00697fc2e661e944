"""`hprim_to_hl7`; what becomes what stands in tests/unit/conversion, its page in test_pages."""

from __future__ import annotations

import pytest

from engine.core.messages import Attachment
from engine.errors import StepFailed
from engine.parsers import open_message
from engine.parsers.hl7v2.message import DETACHED
from engine.transforms.step import Context

H = "H|~^\\&|F.HPR||L1~LABO||ORU|||CHA||P|H2.3~L|20260102\r\n"
TWO = f"{H}P|1|77~78~FU|L1||DÜRAND~Zoé\r\nAP|1\r\nP|2|79\r\nOBR|1||~F1|X\r\nOBX|1|FIC|X||~a.pdf~PDF\r\n"


@pytest.fixture
def convert(compiled):
    def go(raw: str, steps: str = "- hprim_to_hl7: { version: '2.5' }", *, as_utf8: bool = True, **facts: object):
        (step,) = compiled(steps).steps
        assert step.multiplies
        message = open_message(raw.encode("cp1252"), as_utf8=as_utf8)
        return step, message, Context(message, format=message.format, **facts)

    return go


def test_children_are_messages_of_their_own(convert):
    """In order; type and event are theirs; findings stand once; the document is inside."""
    step, _, context = convert(TWO, attachments=(Attachment("a.pdf", "PDF", b"%PDF"),))
    children = step.children(context)
    assert [(one.type, one.event, one.rank, one.format) for one in children] == [
        ("ADT", "A40", 1, "hl7v2"), ("ORU", "R01", 2, "hl7v2"), ("ORU", "R01", 3, "hl7v2"),
    ]  # fmt: skip
    assert {one.message.base_flag for one in children} == {DETACHED}
    assert "DÜRAND" in children[0].message.to_bytes().decode()
    assert b"|ED|" in children[2].message.to_bytes()
    assert [one.findings for one in children] == [["not-converted AP"], [], []]
    assert [one.attachments for one in children] == [(), (), ()]


def test_each_part_of_the_file_is_one_patient_s(convert):
    """As many as messages, so that each has the lanes of its own patient as received."""
    step, message, _ = convert(TWO)
    parts = step.parts(message)
    assert [part.names for part in parts] == [["H", "P"]] * 3
    assert [part.first("P").field(2) for part in parts] == [b"77~78~FU", b"77~78~FU", b"79"]
    letters = "1\r\nA\r\n****FIN****\r\n" + "2\r\nB\r\n" * 4 + "****FIN****\r\n"
    step, message, context = convert(letters)
    assert len(step.parts(message)) == len(step.children(context)) == 2


def test_the_received_bytes_themselves(convert):
    """A destination that wants bytes as received gets the same messages, whatever the charset."""
    plain = f"{H}P|1|77|||DÜRAND~Zoé\r\n"
    sent = [convert(plain, as_utf8=as_utf8) for as_utf8 in (True, False)]
    one, other = (step.children(context)[0].message.to_bytes() for step, _, context in sent)
    assert one == other


def test_a_file_that_is_missing(convert):
    """Stops, or is pointed at."""
    step, _, context = convert(TWO)
    with pytest.raises(StepFailed, match="E-ATTACHMENT"):
        step.children(context)
    step, _, context = convert(TWO, "- hprim_to_hl7: { on_missing: pointer }")
    assert b"|RP|" in step.children(context)[2].message.to_bytes()


def test_hl7_is_no_hprim(compiled):
    """With a word on how to say it."""
    (step,) = compiled("- hprim_to_hl7: { }").steps
    context = Context(open_message(b"MSH|^~\\&|A"))
    with pytest.raises(StepFailed, match=r"HL7 already.*format != hl7v2"):
        step.children(context)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("{ message: ORU }", "ORU isn't possible here"), ("{ version: '3.0' }", "HL7 3.0 isn't written"),
        ("{ lines: { ipp: 13 } }", "13"), ("{ on_missing: skip }", "skip isn't possible here"),
        ("{ charset: UTF-8 }", "charset is no key here"),
    ],
)  # fmt: skip
def test_refused_at_load(compiled, arguments, sentence):
    """Each says what to write."""
    made = compiled(f"- hprim_to_hl7: {arguments}")
    assert sentence in made.findings[0].sentence
    assert made.findings[0].hint


def test_versions_with_country(compiled):
    """MSH-12 of PAM France."""
    assert compiled("- hprim_to_hl7: { message: ADT, version: 2.5^FRA^2.11 }").findings == []
