"""HPRIM to HL7 and back: what was there is still there."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.conversion import attached_files, hl7_to_hprim, to_hl7
from engine.conversion.documents import file_of
from engine.conversion.tree import Request, Result, Subject, Tree, gather_hprim
from engine.parsers import open_message
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.escapes import escape_all
from engine.parsers.hprim.header import header_delimiters

TEXT = st.text(alphabet="aé1^~&|\\.° ", max_size=8).map(str.strip)
WORD = st.text(alphabet="aé1^~&|\\", min_size=1, max_size=6)
DATE = st.sampled_from(["20260102", "202601021530", "20260102153000"])
CODED = st.lists(TEXT, min_size=1, max_size=3)
"""A repetition is a list of components."""
Field = list[list[str]]


NULL = '""'


def one(text: st.SearchStrategy[str]) -> st.SearchStrategy[Field]:
    return st.one_of(st.just([[""]]), st.just([[NULL]]), text.map(lambda value: [[value]]))


def coded(repeated: int = 1) -> st.SearchStrategy[Field]:
    return st.lists(CODED, max_size=repeated)


NUMBER = st.one_of(st.just(""), st.just(NULL), WORD)
NUMBERS = st.tuples(NUMBER, NUMBER).map(lambda pair: [list(pair)])
STAY = st.lists(st.one_of(DATE, st.just(NULL)).map(lambda date: [date]), max_size=3)
NAME = st.lists(TEXT, min_size=4, max_size=4).map(lambda rest: [["Nom", "Prénom", *rest]])
BIRTH = st.one_of(st.just([[""]]), st.lists(WORD, min_size=1, max_size=3).map(lambda name: [name]))
ADDRESS = st.lists(st.lists(TEXT, min_size=6, max_size=6), max_size=2)
QUALIFIED = st.sampled_from([[["VALI"]], [["PROV"]], [[""]]])
PATIENT = st.fixed_dictionaries(
    {
        2: one(WORD), 3: one(WORD), 4: one(WORD), 5: NAME, 6: BIRTH, 7: one(DATE), 8: one(st.sampled_from("MFU")),
        10: ADDRESS, 11: st.just([["260058815400233", "INS-NIR", "", "", "", "1.2.250.1.213.1.4.8"]]), 12: coded(2),
        13: coded(2), 14: coded(2), 16: one(st.sampled_from(["170", "1,7"])), 21: one(TEXT),
        23: STAY,
        24: one(st.sampled_from(["IP", "OP", "ER", "PA", "MP"])), 25: coded(),
        28: one(st.sampled_from("MSD")), 30: one(TEXT), 32: one(DATE), 33: one(DATE), 34: coded(), 35: one(TEXT),
        38: QUALIFIED, 39: one(WORD), 41: coded(),
    }
)  # fmt: skip
REQUEST = st.fixed_dictionaries(
    {
        2: NUMBERS, 3: NUMBERS, 4: st.lists(st.tuples(st.sampled_from("ABC"), TEXT).map(list), min_size=1, max_size=3),
        5: one(st.sampled_from("SRA")), 6: one(DATE), 7: st.lists(DATE.map(lambda date: [date]), max_size=2),
        13: one(TEXT), 14: one(DATE), 15: coded(), 16: coded(2), 18: one(TEXT), 22: one(DATE),
        25: one(st.sampled_from("FPMIRCODX")), 28: coded(2), 32: coded(), 36: one(DATE), 37: one(TEXT),
    }
)  # fmt: skip
VALUE = st.one_of(
    st.tuples(st.just("NM"), st.sampled_from(["1", "-4.5", "+12.", ".5", NULL]).map(lambda number: [[number]])),
    st.tuples(st.sampled_from(["ST", "TX", "CE", "DT", "GC", "GB", "CNA", "AD", "CK", "PN", "TN"]), coded(3)),
    st.tuples(st.just("FIC"), st.sampled_from(["a.pdf", "é&b.PDF"]).map(lambda name: [["dir", name, "PDF"]])),
    st.tuples(st.just("FIC"), st.just([["", "lettre.txt", "TXT"]])),
    st.tuples(st.just("FIC"), st.just([["dir", "a.pdf", "PDF"], [NULL], ["", "b.xml", "XML"]])),
    st.tuples(st.just("FIC"), st.sampled_from([[[""]], [[NULL]]])),
)
RESULT = st.fixed_dictionaries(
    {
        2: VALUE, 3: st.tuples(st.sampled_from("ABCD"), TEXT).map(lambda pair: [list(pair)]), 4: one(TEXT), 6: coded(),
        7: coded(2), 8: st.lists(st.sampled_from([["L"], ["HH"]]), max_size=2), 9: one(TEXT), 11: one(st.just("F")),
        14: one(DATE), 15: coded(), 16: coded(), 17: one(TEXT),
    }
)  # fmt: skip
COMMENTS = st.lists(st.tuples(st.sampled_from(["P", "L", ""]), st.lists(CODED, min_size=1, max_size=2)), max_size=2)
RESULTS = st.lists(st.tuples(RESULT, COMMENTS), max_size=4)
REQUESTS = st.lists(st.tuples(REQUEST, COMMENTS, RESULTS), max_size=2)
FILE = st.fixed_dictionaries(
    {
        "delimiters": st.sampled_from(["~^\\&", "^~\\&", "\\^&~"]),
        "comment": TEXT,
        "patients": st.lists(st.tuples(PATIENT, COMMENTS, REQUESTS), min_size=1, max_size=2),
    }
)


def field(content: Field, marks: Delimiters) -> bytes:
    written = [marks.component.join(escape_all(leaf.encode(), marks) for leaf in repetition) for repetition in content]
    return marks.repetition.join(written)


def line(name: bytes, rank: int, fields: dict[int, Field], marks: Delimiters) -> bytes:
    last = max(fields)
    written = [field(fields.get(number, [[""]]), marks) for number in range(2, last + 1)]
    return b"|".join([name, b"%d" % rank, *written])


def comments(content: Any, marks: Delimiters) -> list[bytes]:
    return [line(b"C", 1, {2: [[source]], 3: text}, marks) for source, text in content]


def write(file: dict[str, Any], context: str) -> bytes:
    begin = f"H|{file['delimiters']}|"
    marks = header_delimiters(begin.encode(), 0)
    h = {2: [["F.HPR"]], 4: [["133002782", "LABO"]], 6: [[context]], 9: [["CH", "Hôpital"]], 10: [[file["comment"]]],
         11: [["P"]], 12: [["H2.5", "C"]], 13: [["20260102"]]}  # fmt: skip
    lines = [begin.encode() + line(b"H", 1, h, marks).split(b"|", 2)[2]]
    for patient, about, requests in file["patients"]:
        lines += [line(b"P", 1, patient, marks), *comments(about, marks)]
        for request, on_request, results in requests:
            lines += [line(b"OBR", 1, request, marks), *comments(on_request, marks)]
            for result, on_result in results:
                kind, value = result[2]
                lines += [line(b"OBX", 1, {**result, 2: [[kind]], 5: value}, marks), *comments(on_result, marks)]
    return b"\r\n".join(lines) + b"\r\n"


def trimmed(data: bytes) -> bytes:
    return b"~".join(filter(None, [repetition.rstrip(b"^") for repetition in data.split(b"~")]))


def get(fields: list[bytes], number: int) -> bytes:
    return trimmed(fields[number]) if number < len(fields) else b""


def same_patient(before: Subject, after: Subject) -> None:
    qualified = get(before.fields, 38) == b"VALI"
    for number, data in enumerate(before.fields):
        if number < 2 or (number == 11 and not qualified):
            continue
        told = get(after.fields, number)
        if number == 6 and data and b"^" not in trimmed(data):
            told = told.partition(b"^")[0]  # the given name of P-5 came with it
        assert told == trimmed(data), number


def same_request(before: Request, after: Request) -> None:
    for number, data in enumerate(before.obr):
        told = get(after.obr, number)
        if number in (2, 3):
            sample = trimmed(data).partition(b"^")[0]
            assert told in (trimmed(data), sample + b"^" + sample), number
        elif number == 7 and b"~" in data:
            assert [told, get(after.obr, 8)] == data.split(b"~")
        elif number > 1 and not (number == 8 and b"~" in before.obr[7]):
            assert told == trimmed(data), number


def result_of(result: Result) -> tuple[Any, ...]:
    obx = [get(result.obx, number) for number in range(2, 18)]
    return (*obx, *[(note.source, trimmed(note.text)) for note in result.notes])


def one_each(results: list[Result]) -> list[Result]:
    """An OBX of several documents comes back as several; its notes belong to the first."""
    told = []
    for result in results:
        values = [one for one in result.obx[5].split(b"~") if one != NULL.encode()] if result.obx[2] == b"FIC" else []
        if len(values) < 2:
            told.append(result)
        for rank, value in enumerate(values if len(values) > 1 else []):
            told.append(Result([*result.obx[:5], value, *result.obx[6:]], result.notes if rank == 0 else []))
    return told


def notes_of(level: Subject | Request | Tree) -> list[tuple[bytes, bytes]]:
    return [(note.source, trimmed(note.text)) for note in level.notes]


NULLABLE = st.one_of(st.just(NULL), st.just(""), st.just("0"), WORD.filter(lambda word: word.isalnum()))


@given(NULLABLE, NULLABLE, st.lists(st.sampled_from([NULL, "", "00000000", "20260102"]), max_size=2), NULLABLE)
def test_what_is_not_there_decides_nothing(new: str, old: str, dates: list[str], died: str) -> None:
    """Nulls, zeros and blanks merge nobody, end no stay and declare nobody dead."""
    raw = "H|~^\\&|F||L~LABO||ADM|||CHA||P|H2.5~C|20260102\r\nP|1|{}~{}~FU{}|{}{}|{}\r\n".format(
        new, old, "|" * 20, "^".join(dates), "|" * 9, died
    )
    made = to_hl7(open_message(raw.encode(), default_charset="utf-8"))
    events = [one.type for one in made.messages]
    assert ("ADT^A40" in events) is (not {new, old} & {NULL, ""} and new != old)
    stay = ["2026" in date for date in [*dates, "", ""][:2]]
    assert events[-1] == ("ADT^A03" if stay[1] else "ADT^A01" if stay[0] else "ADT^A31")
    pid = next(line for line in made.messages[-1].data.split(b"\r") if line.startswith(b"PID")).split(b"|")
    assert (get(pid, 30) == b"Y") is any(mark in "123456789" for mark in died)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILE, st.sampled_from(["ORU", "ORM"]))
def test_hprim_to_hl7_and_back(file: dict[str, Any], context: str) -> None:
    """Identity, requests, results, units, ranges, flags, comments, attachments, and every other field."""
    raw = write(file, context)
    message = open_message(raw, default_charset="utf-8")
    before = gather_hprim(message)
    contents = {one.path: f"content of {one.path}".encode() for one in attached_files(message)}
    converted = to_hl7(message, attachments=contents)
    assert [one.subject for one in converted.messages] == list(range(1, len(before.subjects) + 1))
    for one, patient in zip(converted.messages, before.subjects, strict=True):
        pid = next(line for line in one.data.split(b"\r") if line.startswith(b"PID")).split(b"|")
        assert (get(pid, 30) == b"Y") is get(patient.fields, 33).isdigit()
        back = hl7_to_hprim(open_message(one.data))
        assert all(len(part.decode()) <= 220 for part in back.data.split(b"\r\n"))
        again = open_message(back.data, default_charset="utf-8")
        assert again.findings == []
        after = gather_hprim(again)
        (told,) = after.subjects
        same_patient(patient, told)
        assert notes_of(told) == notes_of(patient)
        assert get(after.header, 10) == get(before.header, 10)
        assert [get(after.header, n) for n in (4, 6, 9, 11, 13)] == [get(before.header, n) for n in (4, 6, 9, 11, 13)]
        for request, back_request in zip(patient.requests, told.requests, strict=True):
            same_request(request, back_request)
            assert notes_of(request) == notes_of(back_request)
            expected = sorted(result_of(result) for result in one_each(request.results))
            assert sorted(result_of(result) for result in back_request.results) == expected
        named = [file_of(result.obx[5]).path for request in patient.requests for result in one_each(request.results)
                 if result.obx[2] == b"FIC" and result.obx[5] not in (b"", NULL.encode())]  # fmt: skip
        assert sorted(attachment.path for attachment in back.attachments) == sorted(named)
        assert all(attachment.data == contents[attachment.path] for attachment in back.attachments)
        assert not any(finding.startswith("not-converted") for finding in back.findings)
