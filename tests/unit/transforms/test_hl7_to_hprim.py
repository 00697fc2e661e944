"""`hl7_to_hprim`; what becomes what stands in tests/unit/conversion, its page in test_pages."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed
from engine.parsers import open_message
from engine.parsers.hl7v2.message import DETACHED
from engine.transforms.step import Context

ORU = (
    "MSH|^~\\&|LIS|LABO|||20260102||ORU^R01|A1|P|2.5||||||8859/1\rPID|1||77^^^^PI||DÜRAND^Zoé^^^^^L\rOBR|1||F1|CR\r"
    "OBX|1|ED|CR||^application^pdf^Base64^JVBERg==\rDG1|1\r"
)


def test_the_context_is_that_of_the_file(compiled):
    """Format, type, files beside it, findings; the message is one of its own bytes, in UTF-8."""
    (step,) = compiled("- hl7_to_hprim: { version: '2.3', link: l }").steps
    for as_utf8 in (True, False):
        context = Context(open_message(ORU.encode("cp1252"), as_utf8=as_utf8), type="ORU", event="R01")
        step.apply(context)
        assert (context.format, context.type, context.event) == ("hprim-sante", "ORU", "")
        assert (context.message.format, context.message.base_flag) == ("hprim-sante", DETACHED)
        assert "DÜRAND~Zoé" in context.message.to_bytes().decode()
        assert b"|H2.3~L|" in context.message.to_bytes()
        (attachment,) = context.attachments
        assert (attachment.name, attachment.type, attachment.data) == ("A1_1.PDF", "PDF", b"%PDF")
        assert context.findings == ["not-converted DG1"]


def test_what_a_tolerant_step_undoes(compiled):
    """Where it fails, the message stays what it was."""
    (step,) = compiled("- hl7_to_hprim: { }\n  on_error: keep").steps
    context = Context(open_message(b"MSH|^~\\&|A|||||||ADT^A01\rPID|1||7"), type="ADT", event="A01")
    step.apply(context)
    assert (context.format, context.type, context.message.format) == ("hl7v2", "ADT", "hl7v2")


def test_hprim_is_no_hl7(compiled):
    """With a word on how to say it."""
    (step,) = compiled("- hl7_to_hprim: { }").steps
    with pytest.raises(StepFailed, match=r"HPRIM already.*format == hl7v2"):
        step.apply(Context(open_message(b"H|~^\\&|F|||\r\n"), format="hprim-sante"))


@pytest.mark.parametrize("arguments", ["{ version: '3' }", "{ link: X }"])
def test_refused_at_load(compiled, arguments):
    """Words that aren't possible."""
    assert compiled(f"- hl7_to_hprim: {arguments}").codes == ["E110"]
