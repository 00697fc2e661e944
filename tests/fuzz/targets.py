"""
What the fuzzing campaign runs: a function of some bytes each, with synthetic inputs to begin with.

A target raises nothing for any bytes: what the engine may raise is caught where it is promised, and what it
promises is asserted. Choices beside the bytes come from their checksum, so that an input replays as it ran and
seeds are plain messages.
"""

from __future__ import annotations

import pathlib
import random
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, NamedTuple

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.errors import ParseError, PathError, ProfileRefused, StepFailed
from engine.parsers import header_of, open_message, sniff
from engine.parsers.charset import CODECS
from engine.parsers.hl7v2.ack import build_ack, error_of, read_ack
from engine.parsers.hl7v2.batch import split_batch
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters, read_delimiters
from engine.parsers.hl7v2.escapes import escape, translate, unescape
from engine.parsers.hl7v2.fragments import fragment_of, rejoin
from engine.parsers.hprim.acknowledgement import accepts, build_err
from engine.parsers.mixed import CODEC as MIXED
from engine.parsers.parts import leaf_of, text_of
from engine.parsers.paths import Path
from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, Noise, Oversized, Truncated
from engine.routes import check, load
from engine.routes.evaluation import evaluate
from engine.routes.files import KeptFiles
from engine.routes.findings import render
from engine.routes.formatting import NotFormatted, formatted
from engine.routes.when import WhenError, compile_when
from engine.transforms.step import Context
from engine.validation.opening import open_profile
from engine.validation.validator import Validator
from tests.support import handling
from tests.support.conditions import Scope

ROOT: Final = pathlib.Path(__file__).parents[2]
FIXTURES: Final = ROOT / "tests" / "fixtures"
HL7: Final = tuple(path.read_bytes() for path in sorted((FIXTURES / "messages").glob("*.hl7")))
HPRIM: Final = tuple(
    path.read_bytes() for folder in ("messages", "conversion") for path in sorted((FIXTURES / folder).glob("*.hpr"))
)
LETTERS: Final = tuple(path.read_bytes() for path in sorted((FIXTURES / "conversion").glob("*.hpm")))
PATHS: Final = ("PID-5.1", "PID-3[+].1", "PID-3[5=PI].1", "OBX[last]-5", "OBX[*]-5.2", "MSH-3", "PID-40",
                "NTE[2]-3.2.2", "P-5.2", "C[2]-3", "H-10", "ENT-5", "RES[last]-4", "TXT[1]-1")  # fmt: skip
WORDS: Final = ("", "x", "é|^~\\&", '""', "a\nb", "\\H\\", "\u20ac\u02dc", "long text " * 40)


BYTES_ONE_BY_ONE: Final = 600


class Target(NamedTuple):
    """One function and where it begins."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def choices(data: bytes) -> random.Random:
    """Return chance that depends on the input alone."""
    return random.Random(zlib.crc32(data))


# --- transports -----------------------------------------------------------------------------------------------


def mllp(data: bytes) -> None:
    """Any cut of a stream gives the same events, and every byte is in one of them."""
    whole = _events([data])
    chance = choices(data)
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(6)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert _events(pieces) == whole
    few = data[:BYTES_ONE_BY_ONE]
    assert _events([few[at : at + 1] for at in range(len(few))]) == _events([few])
    assert all(event.payload in data for event in whole if isinstance(event, Block))
    assert sum(_size(event) for event in whole) <= len(data)


def _events(pieces: Iterable[bytes]) -> list[object]:
    decoder = MllpDecoder(max_block_bytes=300)
    events: list[object] = []
    for piece in pieces:
        if decoder.finished:
            break
        decoder.receive_data(piece)
        while (event := decoder.next_event()) is not NEED_DATA:
            events.append(event)
    if not decoder.finished:
        events += decoder.receive_eof()
    # where an oversized block is noticed depends on the cuts; that it is, and what came before, does not
    return [Oversized(b"", 0) if isinstance(event, Oversized) else event for event in events]


def _size(event: object) -> int:
    if isinstance(event, Block):
        return len(event.payload)
    return event.count if isinstance(event, Noise) else event.size if isinstance(event, Oversized | Truncated) else 0


# --- HL7 v2 ---------------------------------------------------------------------------------------------------


def hl7v2(data: bytes) -> None:
    """Read or refused; byte for byte back; edits are stored as what leaves; one value changed and no other byte."""
    if handling.read(data, "hl7v2") is None:
        return
    handling.comes_back(data, "hl7v2")
    _edited(data, "hl7v2")
    handling.changes_one_value(data, choices(data).choice(["PID-5.1", "OBX-5", "MSH-10", "PID-3"]))


def answers(data: bytes) -> None:
    """Whatever came is answered, and the answer is read; whatever is answered is read or refused."""
    try:
        header = header_of(data)
    except ParseError as refused:
        handling.told(refused)
        header = header_of(b"MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\r")
        told = read_ack(build_ack(header, code="AE", now_ms=0, ack_id="1", error=error_of(refused)))
        assert told.errors
    assert read_ack(build_ack(header, code="AA", now_ms=0, ack_id="1", text="é|x")).code == "AA"
    if header.format == "hprim-sante":
        assert accepts(build_err(header, name="A.HPR", extension=".ACK", now_ms=0))
    try:
        read_ack(data)
    except ParseError as refused:
        handling.told(refused)


def shown(data: bytes) -> None:
    """Trees, plain values and validation of anything that is read."""
    if handling.read(data) is not None:
        handling.shown(data)


def escapes(data: bytes) -> None:
    """Any text in any delimiters and codec is read as it was written; any leaf is read, and translated."""
    head, _, leaf = data.partition(b"\n")
    try:
        marks = read_delimiters(b"MSH" + head)
    except ParseError as refused:
        handling.told(refused)
        marks = STANDARD
    codec = choices(data).choice(CODECS)
    try:
        (marks.field + marks.declared).decode("utf-8" if codec == MIXED else codec)
    except UnicodeDecodeError:
        marks = STANDARD  # a message's codec decodes all of it
    unescape(leaf, marks)
    translate(leaf, marks, STANDARD)
    text = leaf.decode(codec, "replace")
    _written(text, codec, marks, ())
    _written(text, codec, marks, ("iso8859-7", "latin-1", "IR87"))
    if marks.escape and codec == "utf-8":
        encoded = text.encode()
        assert unescape(escape(encoded, marks), marks) == encoded
        assert not any(mark in escape(encoded, marks) for mark in (marks.field, *marks.structural, b"\r", b"\n"))


def _written(text: str, codec: str, marks: Delimiters, alternates: tuple[str, ...]) -> None:
    try:
        leaf = leaf_of(text, codec, marks, "PID-5", alternates)
    except StepFailed as failed:
        handling.told(failed)
        return
    if marks.escape:
        assert text_of(leaf, codec, marks) == text


def batch(data: bytes) -> None:
    """Every byte of a block is in one message or in an envelope; what continues is joined, and nothing is lost."""
    try:
        cut = split_batch(data)
    except ParseError as refused:
        handling.told(refused)
        return
    for raw in cut.messages:
        assert raw.startswith(b"MSH")
        fragment_of(raw)
        handling.read(raw, "hl7v2")
    if b"DSC" not in data:
        position = 0
        for raw in cut.messages:
            position = data.index(raw, position) + len(raw)
        if not cut.enveloped and cut.messages:
            assert data.endswith(b"".join(cut.messages))
    parts = [part for part in data.split(b"\x0b") if part]
    joined = rejoin(parts)
    assert len(joined) <= len(parts)
    assert sum(map(len, joined)) <= sum(map(len, parts)) + len(parts)


def sniffed(data: bytes) -> None:
    """Any bytes have one format, and are read or refused as any of them."""
    assert sniff(data) in ("hl7v2", "hprim-sante", "hprim-medecin", "hprim-xml", "unknown")
    for format_ in ("auto", "hl7v2", "hprim-sante", "hprim-medecin"):
        if handling.read(data, format_) is not None:
            assert open_message(data, format_, as_utf8=False).to_bytes() == data


# --- HPRIM and conversion ------------------------------------------------------------------------------------


def hprim(data: bytes) -> None:
    """HPRIM Santé: read or refused, byte for byte back, edited."""
    if handling.read(data, "hprim-sante") is not None:
        handling.comes_back(data, "hprim-sante")
        _edited(data, "hprim-sante")


def letter(data: bytes) -> None:
    """HPRIM Médecin: the same."""
    if handling.read(data, "hprim-medecin") is not None:
        handling.comes_back(data, "hprim-medecin")
        _edited(data, "hprim-medecin")


def conversion(data: bytes) -> None:
    """Both ways, whatever the format: what is made is read, or there is a reason why nothing is made."""
    for format_ in {sniff(data), "hprim-medecin"} - {"unknown", "hprim-xml"}:
        message = handling.read(data, format_)
        if message is not None:
            list(handling.converted(message))


def _edited(data: bytes, format_: str) -> None:
    """Carry out a few edits; what is stored of them gives what leaves, and a copy sees none."""
    chance = choices(data)
    original = open_message(data, format_, as_utf8=chance.random() < 0.7)
    before = original.to_bytes()
    message = original.copy()
    undo = message.checkpoint()
    for _ in range(chance.randrange(5)):
        path = Path.parse(chance.choice(PATHS))
        try:
            verb = chance.choice(["write", "write", "delete", "add", "drop"])
            if verb == "write":
                path.write(message, chance.choice(WORDS))
            elif verb == "delete":
                path.delete(message)
            elif verb == "add":
                message.add_segment("ZZZ", chance.choice([None, "PID", "OBX"]))
            elif len(message.names) > 1:
                message.delete_segment(message.segments()[-1])
        except StepFailed as failed:
            handling.told(failed)
        handling.same_as_stored(data, message)
    assert original.to_bytes() == before
    undo()
    assert message.to_bytes() == before
    handling.same_as_stored(data, message)


# --- what analysts write ------------------------------------------------------------------------------------


def paths(data: bytes) -> None:
    """A text is a path that reads and writes any message, or it is refused with a column and a hint."""
    text = data.decode("utf-8", "replace")
    try:
        path = Path.parse(text)
    except PathError as refused:
        _points_into(text, refused.reason, refused.column)
        return
    if path.authorities:
        return  # bound by the loader, to a site's own
    message = open_message(HL7[0])
    at = message.segments()[-1] if path.relative else None
    path.read(message, at)
    path.presence(message, at)
    for act in (lambda: path.write(message, "é|x", at), lambda: path.delete(message, at)):
        try:
            act()
        except StepFailed as failed:
            handling.told(failed)
    message.to_bytes()


def _points_into(text: str, sentence: str, column: int) -> None:
    assert sentence
    assert 0 <= column <= len(text)


def when(data: bytes) -> None:
    """A text is a condition that holds or not, or is refused with a place and what to write."""
    text = data.decode("utf-8", "replace")
    try:
        clause = compile_when(text, Scope())
    except WhenError as refused:
        _points_into(text, refused.reason, refused.column)
        return
    for raw in HL7[:3]:
        message = open_message(raw)
        context = Context(message, site="cha", source="gam", type="ADT", event="A01", control_id="1",
                          keys={"nda": lambda _: ["1"]}, received_ms=1_700_000_000_000)  # fmt: skip
        context.at = message.segments()[0]
        try:
            clause.holds(context)
        except StepFailed as failed:
            handling.told(failed)


def routes(data: bytes) -> None:
    """Whatever stands in routes.yaml, it loads or its findings say where; it is laid out anew, and means the same."""
    path = pathlib.Path("/c/routes.yaml")
    files = {"routes.yaml": data, "tables/uf_dpi.csv": b"#key: site,code\nsite,code,dpi\ncha,1,A\n"}
    loaded, findings = check(path, environment={}, tests=[], files=KeptFiles(path, files))
    assert (loaded is None) is any(one.level == "error" for one in findings)
    assert all(one.mark.line >= 1 and one.mark.column >= 1 for one in findings)
    assert render(findings)
    if loaded is not None:
        try:
            laid_out = formatted(data.decode("utf-8-sig"))
        except NotFormatted:
            return  # with a sentence
        assert formatted(laid_out) == laid_out


def profile(data: bytes) -> None:
    """A profile in YAML or XML is read, and messages are compared with it, or it is refused with all its faults."""
    try:
        read = open_profile("site", data)
    except ProfileRefused as refused:
        _points_into(data.decode("utf-8", "replace"), "\n".join(refused.faults), 0)
        return
    validator = Validator(read)
    for raw in HL7[:4]:
        validator.check(open_message(raw))


def walk(data: bytes) -> None:
    """Any message that is taken goes through the delivered routes to its deliveries, from any source."""
    configuration = _delivered()
    header = handling.read(data)
    if header is None:
        return
    source = choices(data).choice(sorted(configuration.sources))
    known = header_of(data)
    stored = StoredMessage(
        source=source, group="main", raw=data, received_ms=1_700_000_000_000, format=known.format,
        control_id=known.control_id, type=known.type, place=7,
    )  # fmt: skip
    decision = evaluate(configuration, stored, References(b"k" * 32))
    assert decision.code.startswith("E-") or not decision.code or decision.code in ("AE", "AR")


@cache
def _delivered():
    return load(ROOT / "routes.yaml", environment={})


# --- where each begins --------------------------------------------------------------------------------------

DIALECTS: Final = (
    b"\r".join([
        b"MSH|^~\\&|A|B|C|D|20260301||ORU^R01^ORU_R01|1|P|2.5|||||FRA|8859/1~UNICODE UTF-8~ISO IR87",
        b"PID|1||7^^^A&1.2.3&ISO^PI~8^^^B^AN||D\xc9^J||1984|F", b"ADD|",
        b"OBX|1|TX|a||\\M2442\\\\C2D46\\\\XC3A9\\\\.br\\\\H\\", b"ADD|more|", b"",
    ]),
    b"MSH$%~\\&$A$B$C$D$$$ADT%A08$1$P$2.3\rPID$$$1%%%A%PI\rZBE$1\r",
    "MSH|^\u02dc\\&|A|B|C|D|||ORU^R01|2|P|2.5\rOBR|1\u02dc2\r".encode(),
    b"MSH|^~\\&#|A|B|C|D|||ADT^A01|3|P|2.8.2\r\nPID|1||\\P\\#\r\n\r\n  \nEVN\n",
    b"\x0b".join([
        b"MSH|^~\\&|A|B|C|D|||ADT^A01|4|P|2.5||5\rPID|1||7\rADD|\rDSC|9|F\r",
        b"MSH|^~\\&|A|B|C|D|||ADT^A01|5|P|2.5||9\rADD|8^^^A\rPV1|1|I\r",
    ]),
    b"\r".join([
        b"FHS|^~\\&", b"BHS|^~\\&|A", b"MSH|^~\\&|A|B|C|D|||ADT^A01|6|P|2.5", b"PID|1",
        b"MSH|^~\\&|A|B|C|D|||ADT^A01|7|P|2.5", b"PID|2", b"BTS|2", b"FTS|1", b"",
    ]),
    b"\xef\xbb\xbfMSH|^~\\&|A|B|C|D|||ACK^A01|8|P|2.5\rMSA|AE|1|non\rERR||PID^1^3|101^x^HL70357|E||||texte\r",
    b"MSH|^~\\&|A\rMSA|AA|1\rERR|PID^1^3^101&x&HL70357\r",
)  # fmt: skip
CONDITIONS: Final = (
    "event in [A01, A02] and not (PID-8 == F or exists(PV1-2))", "any(OBX[*]-3.1) == 718-7", "all(PID-3[*].5) in @list",
    "length(PID-5.1) > 3", "number(OBX-5) >= 12.5", "age(PID-7) < 18", "PID-5 is null", "nda matches 'N[0-9]+'",
    'PID-5.1 like "D*" or site != cha', "PID-3[@ipp].1 starts_with 12", "PV1-3.1 in codes(uf)", "not not exists(ZBE)",
)  # fmt: skip
PATH_TEXTS: Final = (
    "PID-5.1", "PID-3[*].4.1", "PID-3[5=PI].1", 'PID-3[5 in PI,"I,S"]', "PID-3[@ipp].1", "PID-3[+]", ".4.1",
    "OBX[3=2160-0]-5", "ZFP", "OBX[*]", "../OBR-3", "OBX[last]-5", "PID-3[5!=PI].1", "PID-3[4.2=x]", "OBX[3.1 in a,b]",
)  # fmt: skip
PROFILES: Final = (
    b"base: hl7-2.5\nlabel: x\nfields:\n  PID-3: { required: true, repeat: 1 }\n",
    b"base: pam-fr-2.11\nrules:\n  - id: a\n    when: event == A01\n    require: PV1-3\n",
    b"".join([
        b'<?xml version="1.0"?><HL7v2xConformanceProfile HL7Version="2.5">',
        b'<HL7v2xStaticDef MsgType="ADT" EventType="A01"><Segment Name="MSH" Usage="R" Min="1" Max="1">',
        b'<Field Name="x" Usage="R" Min="1" Max="1" Datatype="ST"/></Segment>',
        b'<SegGroup Name="G" Usage="O" Min="0" Max="*"><Segment Name="OBX" Usage="R" Min="1" Max="1"/></SegGroup>',
        b"</HL7v2xStaticDef></HL7v2xConformanceProfile>",
    ]),
)  # fmt: skip


def _streams() -> Iterable[bytes]:
    framed = [b"\x0b" + raw[:200] + b"\x1c\r" for raw in HL7[:3]]
    return [b"".join(framed), b"\r\n noise" + b"\x0b\x0b".join(framed), b"\x16\x03\x01\x02", b"GET / HTTP/1.1\r\n",
            b"\x0bMSH|\x0b\x1c\x0bMSH|\x1c", b"\x0b" + b"x" * 400 + b"\x1c\r"]  # fmt: skip


def _leaves() -> Iterable[bytes]:
    words = (
        b"\\H\\\\XE9\\",
        b"\\C2D46\\;3\\C0000\\",
        b"\\M2442\\",
        b"C:\\DATA",
        b"\\.br\\\\.sp+2\\",
        b"\\Z1\\",
        "é€".encode(),
    )
    return [head + b"\n" + b"".join(words) for head in (b"|^~\\&", b"$%~!&", "|^\u02dc\\&".encode(), b"|^~&", b"|^")]


def _yaml() -> Iterable[bytes]:
    golden = sorted((ROOT / "tests" / "unit" / "routes" / "golden").glob("*.yaml"))
    return [path.read_bytes() for path in golden if not path.stem.startswith("E108")]


def _profiles() -> Iterable[bytes]:
    shipped = sorted((ROOT / "engine" / "validation" / "profiles").glob("*.yaml"))
    return [*PROFILES, *(path.read_bytes() for path in shipped)]


def _hl7() -> Iterable[bytes]:
    return [*HL7, *DIALECTS]


def _all() -> Iterable[bytes]:
    return [*HL7, *DIALECTS, *HPRIM, *LETTERS, b'<?xml version="1.0"?><evenementsPatients/>']


TARGETS: Final = {
    "mllp": Target(mllp, _streams),
    "hl7v2": Target(hl7v2, _hl7),
    "answers": Target(answers, _all),
    "shown": Target(shown, _all),
    "escapes": Target(escapes, _leaves),
    "batch": Target(batch, _hl7),
    "sniff": Target(sniffed, _all),
    "hprim": Target(hprim, lambda: HPRIM),
    "letter": Target(letter, lambda: LETTERS),
    "conversion": Target(conversion, _all),
    "paths": Target(paths, lambda: [text.encode() for text in PATH_TEXTS]),
    "when": Target(when, lambda: [text.encode() for text in CONDITIONS]),
    "routes": Target(routes, _yaml),
    "profile": Target(profile, _profiles),
    "walk": Target(walk, _all),
}
