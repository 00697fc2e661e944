"""What stops a message before any route is asked."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import DeliveryState, MessageState
from engine.errors import OperationRefused
from engine.routes.evaluation import evaluate, render_again
from tests.unit.routes.conftest import SMALL
from tests.unit.routes.test_evaluation import adt, routes


def test_site_of_a_shared_system(small, references, stored):
    """The first path with a known value tells the site; without one the message is dead, and no value is shown."""
    configuration = small("routes:\n  r:\n    from: [lis]\n    to: [raw]\n")
    assert evaluate(configuration, stored(adt(), "lis"), references).site == "cha"
    stray = adt().replace(b"|000000026|", b"|SECRET|")
    decision = evaluate(configuration, stored(stray, "lis"), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-SITE-UNKNOWN", "MSH-4.2")
    assert "SECRET" not in decision.reason


@pytest.mark.parametrize("between", [b"", b"BTS|2\rBHS|^~\\&\r"], ids=["MSH after MSH", "batches"])
def test_several_messages_in_one_block(small, references, stored, between):
    """`batch: whole` never sends the second patient's results under the first one's name."""
    configuration = small(routes("    to: [dpi]\n"))
    message = stored(adt(), "gam")
    message.raw = adt() + between + adt(ipp="222")
    decision = evaluate(configuration, message, references)
    assert (decision.state, decision.code, decision.deliveries) == (MessageState.DEAD, "E-SEVERAL-MESSAGES", [])
    assert "batch: split" in decision.reason
    with pytest.raises(OperationRefused, match="batch: split"):
        render_again(configuration, message, references, "r1", "dpi", 1)


def test_one_message_in_an_envelope(small, references, stored):
    """A batch of one message has nothing to mix up."""
    message = stored(adt(), "gam")
    message.raw = b"BHS|^~\\&\r" + adt() + b"BTS|1\r"
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert decision.code != "E-SEVERAL-MESSAGES"


def test_processing(small, references, stored):
    """MSH-11 other than the source's is filtered; an empty one counts as P."""
    configuration = small(routes("    to: [dpi]\n"))
    assert (
        evaluate(configuration, stored(adt().replace(b"|P|2.5", b"|D|2.5"), "gam"), references).code == "E-PROCESSING"
    )
    assert evaluate(configuration, stored(adt().replace(b"|P|2.5", b"||2.5"), "gam"), references).code == ""


def test_a_block_inside_a_block_is_no_message(small, references, stored):
    """A lost FS: what follows the second VT is another patient's, and must not go under the first one's header."""
    cut = adt(rest="ZZZ|4\x0b") + adt(ipp="77")
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(cut, "gam"), references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-SEVERAL-MESSAGES")
    cut = adt()[:-3] + b"\x0b" + adt(ipp="77")
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(cut, "gam"), references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-SEVERAL-MESSAGES")


ANOTHER = adt(ipp="222")


@pytest.mark.parametrize(
    "between_and_second",
    [
        b"\n" + ANOTHER,
        b" " + ANOTHER,
        b"\t\x00 " + ANOTHER,
        b"\xef\xbb\xbf" + ANOTHER,
        b"\xa0" + ANOTHER,
        ANOTHER.replace(b"MSH|", b"msh|"),
        ANOTHER.replace(b"MSH|", b"Msh|"),
        b"MSH\r" + ANOTHER.partition(b"\r")[2],
        b"MSH \r\n" + ANOTHER.partition(b"\r")[2],
        b"MSH|A\r" + ANOTHER.partition(b"\r")[2],
        b" " + ANOTHER.replace(b"MSH|^~\\&|", b"MSH$%~\\&$"),
        b"ZZZ|1" + ANOTHER,
        b"ZZZ|1" + ANOTHER.replace(b"MSH|", b"msh|"),
        b"\x1c" + ANOTHER,
        b"\x0b " + ANOTHER.replace(b"MSH|", b"msh|"),
        ANOTHER + b"\n" + adt(ipp="333"),
    ],
)
@pytest.mark.parametrize("end", [b"\r", b"\r\n"], ids=["CR", "CRLF"])
def test_a_second_header_that_begins_no_message(small, references, stored, between_and_second, end):
    """Where the splitter sees no second message, nothing of the block goes on under the first one's patient."""
    message = stored(adt(), "gam")
    message.raw = adt().replace(b"\r", end) + between_and_second
    configuration = small(routes("    to: [dpi, raw]\n"))
    decision = evaluate(configuration, message, references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-SEVERAL-MESSAGES", "MSH")
    assert decision.deliveries == []
    assert "222" not in decision.reason
    with pytest.raises(OperationRefused, match="can't be routed"):
        render_again(configuration, message, references, "r1", "dpi", 1)


@pytest.mark.parametrize(
    "obx",
    [
        "OBX|1|FT|X||MSH\r",
        "OBX|1|FT|X||MSH-3~MSH^~\\T\\|MSH|^\r",
        "OBX|1|FT|X||dosage:\nMSH: 12 ng/l\nMSH 14\n",
        "OBX|1|FT|X||MSH\\F\\^~\\E\\\\T\\\r",
        "ZMS|MSH\rMSX|1\r",
    ],
)
def test_text_that_names_the_header_is_text(small, references, stored, obx):
    """MSH is a hormone too, and a report may quote the standard."""
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(adt(rest=obx), "gam"), references)
    assert decision.state is MessageState.ROUTED
    assert decision.deliveries[0].state is DeliveryState.PENDING


@pytest.mark.parametrize("number", [*range(3, 13), 18, 25])
@pytest.mark.parametrize("filling", [b"9", b"9^", b"9&", b"~9", b"\\", b"\xe9"], ids=repr)
@pytest.mark.parametrize("size", [17_000, 200_000])
def test_a_header_that_nobody_can_mean(small, references, stored, number, filling, size):
    """A dead letter that names the field, whatever fills it; never an error of our own, nor an answer to nobody."""
    fields = adt().split(b"\r")[0].split(b"|")
    fields += [b""] * (number - len(fields))
    fields[number - 1] = filling * (size // len(filling))
    message = stored(b"|".join(fields) + b"\r" + adt().partition(b"\r")[2], "gam")
    decision = evaluate(small(routes("    to: [dpi, raw]\n")), message, references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-HEADER", f"MSH-{number}")
    assert str(len(fields[number - 1])) in decision.reason


@pytest.mark.parametrize("size", [20, 199, 9_000])
def test_a_long_control_id_is_no_fault(small, references, stored, size):
    """HL7 2.7 has 199 characters; others have more, and are delivered under an id of our own."""
    message = stored(adt().replace(b"|9|P|", b"|" + b"9" * size + b"|P|"), "gam")
    assert evaluate(small(routes("    to: [dpi]\n")), message, references).state is MessageState.ROUTED


FIRST = adt(type_="ORU", event="R01", rest="OBR|1\rOBX|1|TX|a||one\rDSC|P1|F\r")


def continuing(body: bytes) -> bytes:
    return adt(type_="ORU", event="R01").split(b"\r")[0].replace(b"|2.5||", b"|2.5||P1") + b"\r" + body


@pytest.mark.parametrize(
    ("raw", "field", "alone"),
    [
        (FIRST, "DSC-1", True),
        (continuing(b"OBX|2|TX|a||two\r"), "MSH-14", True),
        (continuing(b"ADD|e\rPID|1||111\r"), "MSH-14", False),
        (continuing(b"PID|1||111\rDSC|P2\r"), "DSC-1", False),
        (continuing(b"OBX|2|TX|a||two\rPID|1||111\rOBX|1|TX|a||x\r"), "MSH-14", False),
    ],
    ids=["first", "speaks of nobody", "in the middle of a segment", "goes on", "goes on to the next patient"],
)
def test_a_part_of_a_message_is_not_delivered_as_the_whole(small, references, stored, raw, field, alone):
    """
    It waits for the others, or is dead at once, unless the source says that its receivers know such parts.

    Where its cut may concern its patient it is dead all the same.
    """
    message = stored(raw, "gam")
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert (decision.state, decision.code, decision.field) == (MessageState.WAITING, "E-FRAGMENT-WAITING", field)
    assert (decision.deliveries, decision.fragment is None) == ([], False)
    message.alone = True
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert len(decision.deliveries) == alone
    assert alone or (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-FRAGMENT", field)
    message.alone = False
    declared = SMALL.replace("untyped: ipp }", "untyped: ipp, fragments: dead_letter }")
    decision = evaluate(small(routes("    to: [dpi]\n"), base=declared), message, references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-FRAGMENT", field)
    assert decision.deliveries == []
    assert "one batch" in decision.reason
    declared = SMALL.replace("untyped: ipp }", "untyped: ipp, fragments: deliver }")
    assert len(evaluate(small(routes("    to: [dpi]\n"), base=declared), message, references).deliveries) == alone


def test_a_part_that_is_cut_in_its_patient_is_not_made_again(small, references, stored):
    """A delivery of it, made before, isn't retried: the number may be half of one."""
    message = stored(adt(type_="ORU", event="R01", ipp="1", rest="DSC|P1|F\r"), "gam")
    with pytest.raises(OperationRefused, match="could be taken for somebody else's"):
        render_again(small(routes("    to: [dpi]\n")), message, references, "r1", "dpi", 1)


@pytest.mark.parametrize(
    ("raw", "findings"),
    [
        (continuing(b"PID|1||111\rOBX|1|TX|a||x\r"), ["continues-another"]),
        (adt(rest="DSC|\r"), []),
        (adt(rest="QPD|1\rDSC|P1|I\r"), []),
        (continuing(b"EVN|R01\rPID|1||111\rOBX|1|TX|a||x\r"), ["continues-another"]),
    ],
    ids=["MSH-14 filled with something", "no pointer", "interactive", "with an event"],
)
def test_whole_messages_with_pointers_are_delivered(small, references, stored, raw, findings):
    """Many fill MSH-14 with something; it is counted."""
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(raw, "gam"), references)
    assert len(decision.deliveries) == 1
    assert [one for one in decision.findings if one == "continues-another"] == findings


@pytest.mark.parametrize(
    ("tail", "field"),
    [
        ("DSC||F\r", "DSC-1"),
        ("ADD|\rDSC\r", "DSC-1"),
        ("dsc|P1|F\r", "DSC"),
        ("\ufeffDSC|P1|F\r", "DSC"),
    ],
)
def test_half_a_message_with_a_damaged_dsc(small, references, stored, tail, field):
    """It is not delivered as a whole one: its last number may be cut."""
    decision = evaluate(small(routes("    to: [dpi, raw]\n")), stored(adt(rest=tail), "gam"), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-FRAGMENT", field)
    assert decision.deliveries == []


@pytest.mark.parametrize(("tail", "field"), [("DSC|P1|X\r", "DSC-2"), ("DSC|P1|F\rZZZ|x\r", "DSC")])
def test_half_a_message_whose_pointer_can_be_read(small, references, stored, tail, field):
    """Where parts are joined it bars its pointer, so that no other is joined with its end; else it is dead at once."""
    message = stored(adt(rest=tail), "gam")
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert decision.state is MessageState.WAITING
    assert decision.fragment.flaw[0] == field
    declared = SMALL.replace("untyped: ipp }", "untyped: ipp, fragments: dead_letter }")
    decision = evaluate(small(routes("    to: [dpi]\n"), base=declared), message, references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-FRAGMENT", field)
    message.alone = True
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-FRAGMENT")


def test_parts_in_one_block_that_nobody_joined(small, references, stored):
    """`batch: whole`: the second header would stand inside the first one's message."""
    message = stored(FIRST, "gam")
    message.raw = FIRST + continuing(b"OBX|2|TX|a||two\r")
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-SEVERAL-MESSAGES")


@pytest.mark.parametrize(
    ("line", "field"),
    [("pid|2||78", "PID"), ("\ufeffPID|2||78", "PID"), ("mrg|78", "MRG"), ("obr|2|P2", "OBR"), ("\xa0ORC|RE", "ORC")],
)
def test_a_patient_whose_line_is_damaged(small, references, stored, line, field):
    """What follows it belongs to nobody that we know: nothing is sent, as it is or otherwise."""
    raw = adt(type_="ORU", event="R01", rest="OBR|1|P1\rOBX|1|NM|HB||13\r" + line + "\rOBX|1|NM|NA||140\r")
    configuration = small(routes("    to: [dpi, raw]\n"))
    decision = evaluate(configuration, stored(raw, "gam"), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-DAMAGED", field)
    assert decision.deliveries == []
    assert "78" not in decision.reason
    assert f"reads as {field}" in decision.reason


@pytest.mark.parametrize("line", ["PID|1||222||ZO", "MRG|78||||||ZO"])
def test_a_patient_whose_name_is_broken(small, references, stored, line):
    """Half a character in a patient's line could make another name of it: nothing is sent."""
    raw = adt(rest="NTE|1||été\r")
    configuration = small(routes("    to: [dpi, raw]\n"))
    decision = evaluate(configuration, stored(raw + line.encode() + b"\xc3\r", "gam"), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-CHARSET", line[:3])
    assert decision.deliveries == []
    assert "222" not in decision.reason


def test_a_broken_byte_elsewhere_renames_nobody(small, references, stored):
    """The patient leaves with his own name; `as_received` gives what no step touched as it came, byte for byte."""
    raw = adt(rest="NTE|1||tronqu") + b"\xc3\r"
    step = "    steps: [ set: { PV1-3: Césaire } ]\n    to: [dpi, raw]\n"
    decision = evaluate(small(routes(step)), stored(raw, "gam"), references)
    assert decision.state is MessageState.ROUTED
    assert decision.findings == ["charset-mixed"]
    dpi, as_it_came = decision.deliveries
    assert "||DOÉ^JANE|".encode() in dpi.rendered
    assert dpi.rendered.endswith("tronquÃ\r".encode())
    assert as_it_came.rendered == raw.replace(b"|1010\r", "|Césaire\r".encode())
