"""Reading and writing by path."""

from __future__ import annotations

import pytest

from engine.errors import PathError, StepFailed
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.message import Message
from engine.parsers.hprim.message import parse_hprim
from engine.parsers.paths import Path

RAW = (
    "MSH|^~\\&|GAM|CHA|DPI|GHT|20260101||ADT^A01^ADT_A01|42|P|2.5^FRA^2.11||||||8859/1\r"
    'PID|1||123^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS||DUPOND\\T\\FILS^Éric~DUP^E||""\r'
    "OBX|1|NM|2160-0^Créat||68\rOBX|2|NM|718-7^Hb||13\rOBX|3|NM|2160-0^Créat||70\rZFP|\r"
).encode("cp1252")


def parsed() -> Message:
    return Message.parse(RAW, as_utf8=True)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("PID-3.1", ["123"]),
        ("PID-3", ["123^^^CHA-IPP&1.2.3&ISO^PI"]),
        ("PID-3[*].1", ["123", "A9", "77"]),
        ("PID-3[*].4.2", ["1.2.3", "9.9"]),
        ("PID-3[*].4.1", ["CHA-IPP", "OTHER", "X"]),
        ("PID-3.4", ["CHA-IPP&1.2.3&ISO"]),
        ("PID-3[5=MR].1", ["A9"]),
        ("PID-3[5!=PI].1", ["A9", "77"]),
        ("PID-3[5 in PI,INS].1", ["123", "77"]),
        ("PID-3[4.2=9.9].1", ["A9"]),
        ("PID-3[last].1", ["77"]),
        ("PID-3[2].1", ["A9"]),
        ("PID-3[9].1", []),
        ("PID-3[+].1", []),
        ("PID-5.1", ["DUPOND&FILS"]),
        ("PID-5.2", ["Éric"]),
        ("PID-5.2.1", ["Éric"]),
        ("PID-5.2.2", []),
        ("PID-7", ['""']),
        ("PID-8", []),
        ("PID-1.1.1", ["1"]),
        ("OBX-5", ["68"]),
        ("OBX[*]-5", ["68", "13", "70"]),
        ("OBX[3]-5", ["70"]),
        ("OBX[4]-5", []),
        ("OBX[last]-5", ["70"]),
        ("OBX[3=2160-0]-5", ["68", "70"]),
        ("OBX[3!=2160-0]-5", ["13"]),
        ("OBX[3.2=Hb]-5", ["13"]),
        ("PV1-3", []),
        ("MSH-1", ["|"]),
        ("MSH-2", ["^~\\&"]),
        ("MSH-3", ["GAM"]),
        ("MSH-9.2", ["A01"]),
        ("MSH-10", ["42"]),
        ("ZFP-1", []),
        ("ZFP", ["ZFP"]),
        ("OBX[*]", ["OBX", "OBX", "OBX"]),
        ("PV1", []),
    ],
)
def test_reading(path: str, values: list[str]) -> None:
    """Values are decoded, unescaped, and those that are missing are none."""
    message = parsed()
    compiled = Path.parse(path)
    assert compiled.read(message) == values
    assert compiled.first(message) == (values[0] if values else "")


@pytest.mark.parametrize(
    ("path", "presence"), [("PID-3", "value"), ("PID-7", "null"), ("PID-8", "absent"), ("PV1-2", "absent")]
)
def test_absent_and_null_are_two_things(path: str, presence: str) -> None:
    """`""` erases, nothing says nothing."""
    assert Path.parse(path).presence(parsed()) == presence


def test_relative_paths_read_the_segment_of_foreach() -> None:
    """And fail with a sentence elsewhere."""
    message = parsed()
    assert [Path.parse(".3.1").first(message, segment) for segment in message.segments("OBX")] == [
        "2160-0",
        "718-7",
        "2160-0",
    ]
    with pytest.raises(StepFailed, match="E-NO-FOREACH"):
        Path.parse(".3.1").read(message)


GROUPS = b"MSH|^~\\&|A|B|C|D|20260301||ORU^R01|1|P|2.5\rPID|1||1\rOBR|1|a\rOBX|1\rOBX|2\rOBR|2|b\rNTE|1\rOBX|3\r"


def test_the_head_of_a_group() -> None:
    """`../OBR-2` is the nearest OBR before the segment at hand, also among segments that came or went meanwhile."""
    message = Message.parse(GROUPS)
    head, patient = Path.parse("../OBR-2"), Path.parse("../PID-3")
    assert [head.first(message, one) for one in message.segments("OBX")] == ["a", "a", "b"]
    assert [patient.first(message, one) for one in message.segments("OBX")] == ["1", "1", "1"]
    assert [head.read(message, one) for one in message.segments("PID")] == [[]]
    added = message.add_segment("OBR", message.segments("OBX")[0])
    added.set_field(2, b"new")
    message.delete_segment(message.segments("PID")[0])
    assert [head.first(message, one) for one in message.segments("OBX")] == ["a", "new", "b"]
    assert [Path.parse("../OBX-1").first(message, one) for one in message.segments("OBX")] == ["", "1", "2"]
    assert head.first(message, added) == "a"
    assert head.write(message, "x", message.segments("OBX")[2]) == 1
    assert [one.field(2) for one in message.segments("OBR")] == [b"a", b"new", b"x"]
    with pytest.raises(StepFailed, match="E-NO-SEGMENT"):
        patient.write(message, "x", message.segments("OBX")[0])
    with pytest.raises(StepFailed, match="E-NO-FOREACH"):
        head.read(message)


def recognise(field: bytes, marks: Delimiters) -> list[int]:
    repetitions = [marks.components(repetition) for repetition in marks.repetitions(field)]
    others = [len(one) > 3 and marks.subcomponents(one[3])[1:2] == [b"9.9"] for one in repetitions]
    return [rank for rank, other in enumerate(others) if other and rank == 1]


def test_authorities_are_bound() -> None:
    """`@name` is what its recogniser says; unknown names are refused, unbound ones fail at the message."""
    path = Path.parse("PID-3[@other].1")
    assert path.authorities == ("other",)
    assert path.bind({"other": recognise, "more": recognise}).read(parsed()) == ["A9"]
    with pytest.raises(StepFailed, match="E-NO-SITE"):
        path.read(parsed())
    with pytest.raises(PathError) as refused:
        path.bind({})
    assert refused.value.column == 6


@pytest.mark.parametrize(
    ("path", "field", "expected"),
    [
        ("PID-3.1", 3, b"X^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS"),
        ("PID-3.4.2", 3, b"123^^^CHA-IPP&X&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS"),
        ("PID-3[5=MR].1", 3, b"123^^^CHA-IPP&1.2.3&ISO^PI~X^^^OTHER&9.9&ISO^MR~77^^^X^INS"),
        ("PID-3[+].1", 3, b"123^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS~X"),
        ("PID-3[5=NH].1", 3, b"123^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS~X^^^^NH"),
        ("PID-3[5].1", 3, b"123^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS~~X"),
        ("PID-3[*].5", 3, b"123^^^CHA-IPP&1.2.3&ISO^X~A9^^^OTHER&9.9&ISO^X~77^^^X^X"),
        ("PID-7", 7, b"X"),
        ("PID-7.2", 7, b"^X"),
        ("PID-12.3.2", 12, b"^^&X"),
    ],
)
def test_writing(path: str, field: int, expected: bytes) -> None:
    """What is missing comes to be, what is beside stays."""
    message = parsed()
    assert Path.parse(path).write(message, "X") > 0
    segment = message.first("PID")
    assert segment is not None
    assert segment.field(field) == expected


def test_structure_is_escaped_as_text_and_kept_as_bytes() -> None:
    """`write` writes one leaf; `write_bytes` copies structure."""
    message = parsed()
    Path.parse("PID-9").write(message, "a^b")
    Path.parse("PID-10").write_bytes(message, b"a^b")
    assert message.to_bytes().split(b"\r")[1].endswith(b"|a\\S\\b|a^b")
    assert Path.parse("PID-10.2").first(message) == "b"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("PV1-3.1", "E-NO-SEGMENT"),
        ("OBX[9]-5", "E-NO-SEGMENT"),
        ("OBX[3=1-1]-5", "E-NO-SEGMENT"),
        ("PID-3[5!=PI].1", ""),
        ("PID-8[5!=PI].1", "E-NO-REPETITION"),
        ("MSH-1", "E-DELIMITERS"),
        ("MSH-2", "E-DELIMITERS"),
        ("PID", "E-NO-FIELD"),
        ("PV1[*]-3", ""),
    ],
)
def test_where_nothing_can_be_written(path: str, code: str) -> None:
    """It is told by a code; `[*]` of nothing is nothing to do."""
    if not code:
        Path.parse(path).write(parsed(), "X")
        return
    with pytest.raises(StepFailed) as failed:
        Path.parse(path).write(parsed(), "X")
    assert (failed.value.code, failed.value.field) == (code, path)


def test_an_absent_segment_names_the_verb_add() -> None:
    """The analyst reads what to write."""
    with pytest.raises(StepFailed, match=r"add: \{ segment: PV1 \}"):
        Path.parse("PV1-3.1").write(parsed(), "X")


def test_what_the_charset_or_the_delimiters_cannot_write() -> None:
    """Nothing is lost silently."""
    latin = Message.parse(RAW)
    with pytest.raises(StepFailed, match="E-ENCODE"):
        Path.parse("PID-5.1").write(latin, "Ж")
    bare = Message.parse(b"MSH|^~|A\rPID|1\r")
    with pytest.raises(StepFailed, match="E-NO-ESCAPE"):
        Path.parse("PID-5.1").write(bare, "a|b")
    with pytest.raises(StepFailed, match="E-DELIMITERS"):
        Path.parse("PID-5.1.2").write(bare, "a")


@pytest.mark.parametrize(
    ("path", "gone", "expected"),
    [
        ("PID-3", 1, b"PID|1||||"),
        ("PID-3[1]", 1, b"PID|1||A9^^^OTHER&9.9&ISO^MR~77^^^X^INS||"),
        ("PID-3[5 in MR,INS]", 2, b"PID|1||123^^^CHA-IPP&1.2.3&ISO^PI||"),
        ("PID-3[*].4", 3, b"PID|1||123^^^^PI~A9^^^^MR~77^^^^INS||"),
        ("PID-3.4.2", 1, b"PID|1||123^^^CHA-IPP&&ISO^PI~"),
        ("PID-30", 0, b"PID|1||123"),
    ],
)
def test_deleting(path: str, gone: int, expected: bytes) -> None:
    """A chosen repetition goes wholly, a component is emptied."""
    message = parsed()
    assert Path.parse(path).delete(message) == gone
    assert message.to_bytes().split(b"\r")[1].startswith(expected)


def test_deleting_segments() -> None:
    """Without selector, all of that name."""
    message = parsed()
    assert Path.parse("OBX[2]").delete(message) == 1
    assert message.names == ["MSH", "PID", "OBX", "OBX", "ZFP"]
    assert Path.parse("OBX").delete(message) == 2
    assert Path.parse("OBX").delete(message) == 0
    assert message.names == ["MSH", "PID", "ZFP"]


def test_hprim_is_read_by_position() -> None:
    """H-1 is the delimiters; components are what H-1 says."""
    message = parse_hprim(b"H|~^\\&|F.HPR||LAB~Labo||ORU\r\nP|1|IPP1~~FU|X9\r\n", as_utf8=True)
    reads = {path: Path.parse(path).first(message) for path in ("H-1", "H-2", "H-4.2", "H-6", "P-2.1", "P-2.3", "P-3")}
    assert reads == {
        "H-1": "~^\\&",
        "H-2": "F.HPR",
        "H-4.2": "Labo",
        "H-6": "ORU",
        "P-2.1": "IPP1",
        "P-2.3": "FU",
        "P-3": "X9",
    }


@pytest.mark.parametrize(
    ("path", "after", "count"),
    [
        ("PID-3[*].1", b"<123>^^^CHA-IPP&1.2.3&ISO^PI~<A9>^^^OTHER&9.9&ISO^MR~<77>^^^X^INS", 3),
        ("PID-3[5=MR]", b"123^^^CHA-IPP&1.2.3&ISO^PI~<A9^^^OTHER&9.9&ISO^MR>~77^^^X^INS", 1),
        ("PID-3[9].1", b"123^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS", 0),
        ("PID-3[+]", b"123^^^CHA-IPP&1.2.3&ISO^PI~A9^^^OTHER&9.9&ISO^MR~77^^^X^INS", 0),
    ],
)
def test_change_each_value(path, after, count):
    """Each value that is there is given to the change; the others stay byte for byte."""
    message = parsed()
    assert Path.parse(path).change(message, lambda data: b"<" + data + b">") == count
    assert message.segments("PID")[0].field(3) == after


def test_change_over_segments_counts_what_differs():
    """A change that gives back what it got is none, and edits nothing."""
    message = parsed()
    assert Path.parse("OBX[*]-5").change(message, lambda data: b"13") == 2
    assert Path.parse("OBX[*]-5").read(message) == ["13", "13", "13"]
    untouched = parsed()
    assert Path.parse("OBX[*]-5").change(untouched, bytes) == 0
    assert untouched.splices() == []
    with pytest.raises(StepFailed):
        Path.parse("MSH-2").change(message, bytes)


def test_chosen_gives_ranks():
    """The repetitions of the field, and which of them the path selects."""
    [(segment, repetitions, ranks)] = Path.parse("PID-3[5!=PI]").chosen(parsed())
    assert (segment.name, len(repetitions), ranks) == ("PID", 3, [1, 2])
