"""
The parser alone, beside python-hl7 and hl7apy: parse, read five fields, change PID-3 and serialise, on one core.

Each library does the same task in its own usual way and gives bytes back; what it gives is compared once, so that no
figure is of a task that wasn't done. The figure is that of the fastest of many short rounds: other programs can only
make a round slower.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from bench.messages import Admissions
from engine.parsers import open_message
from engine.parsers.paths import Path

Task = Callable[[bytes], bytes]

PDF_BYTES: Final = 5_000_000
"""Of the document as it stands in OBX-5."""
NEW_ID: Final = "20000007"

ADMISSION_FIELDS: Final = ("MSH-10", "PID-5.1", "PID-7", "PV1-3.1", "EVN-2")
RESULT_FIELDS: Final = ("MSH-10", "PID-5.1", "OBR-3.1", "OBR-4.1", "OBX-3.1")

_RESULT_HEAD: Final = (
    "MSH|^~\\&|LIS|LABO_BENCH|PASSERELLE|GHT|20260102030405||ORU^R01^ORU_R01|@ID@|P|2.5^FRA^2.11|||||FRA"
    "|UNICODE UTF-8|FR\r"
    "PID|1||10000007^^^GAM&1.2.250.1.999.10.1&ISO^PI||LEFÈVRE^HÉLÈNE^^^Mme^^L||19850712|F\r"
    "PV1|1|I|4021^201^1^CH_BENCH|||||||||||||||||V10000007^^^GAM&1.2.250.1.999.12.1&ISO^VN\r"
    "ORC|RE|P@ID@^GAM|F@ID@^LIS||CM||||20260102020000|||10009999902^PETIT^ANNE\r"
    "OBR|1|P@ID@^GAM|F@ID@^LIS|24362-6^Ionogramme sanguin^LN|||20260102010000|||||||||10009999902^PETIT^ANNE||||||"
    "20260102030000||LAB|F\r"
)
_RESULT: Final = "OBX|{}|NM|2951-2^Sodium [Moles/volume]^LN^NA^Sodium^L||{}|mmol/L|136 - 145|N|||F|||20260102023000\r"
_DOCUMENT: Final = "OBX|1|ED|11502-2^CR d'examens biologiques^LN||^application^pdf^Base64^{}||||||F\r"


def admissions(count: int) -> list[bytes]:
    """Return ADT of about 1 KB: those of the other parts."""
    made = Admissions(300)
    return [made.framed(b"p%d" % number, number)[1:-2] for number in range(count)]


def results(count: int) -> list[bytes]:
    """Return ORU of about 4 KB: 36 values."""
    body = _RESULT_HEAD + "".join(_RESULT.format(rank + 1, 130 + rank) for rank in range(36))
    return [body.replace("@ID@", f"r{number}").encode() for number in range(count)]


def documents(count: int) -> list[bytes]:
    """Return ORU with 5 MB PDF."""
    pdf = base64.b64encode(random.Random(7).randbytes(PDF_BYTES * 3 // 4)).decode()
    body = (_RESULT_HEAD + _DOCUMENT.format(pdf)).encode()
    return [body.replace(b"@ID@", b"d%d" % number) for number in range(count)]


# --- the task, in each library's own way -----------------------------------------------------------------------


def with_passerelle(fields: Sequence[str]) -> Task:
    """Return the task as a route does it: compiled paths, UTF-8 inside."""
    paths = [Path.parse(field) for field in fields]
    target = Path.parse("PID-3.1")

    def task(raw: bytes) -> bytes:
        message = open_message(raw, "hl7v2")
        for path in paths:
            path.first(message)
        target.write(message, NEW_ID)
        return message.to_bytes()

    return task


def with_python_hl7(fields: Sequence[str]) -> Task:
    """Return the task with python-hl7: segments, fields and components by number."""
    import hl7

    places = [_place(field) for field in fields]

    def task(raw: bytes) -> bytes:
        message = hl7.parse(raw.decode())
        for segment, field, component in places:
            _ = message.extract_field(segment, 1, field, 1, component) if component else str(message[segment][0][field])
        message.assign_field(NEW_ID, "PID", 1, 3, 1, 1)
        return bytes(str(message).encode())

    return task


def with_hl7apy(fields: Sequence[str]) -> Task:
    """Return the task with hl7apy; without groups, because with them it drops segments that it doesn't expect."""
    from hl7apy.parser import parse_message

    places = [_place(field) for field in fields]

    def task(raw: bytes) -> bytes:
        message = parse_message(raw.decode(), find_groups=False)
        for segment, field, component in places:
            element = getattr(getattr(message, segment)[0], f"{segment}_{field}")[0]
            _ = element.children[component - 1].to_er7() if component else element.to_er7()
        message.PID.PID_3[0].CX_1 = NEW_ID
        return bytes(message.to_er7().encode())

    return task


def _place(field: str) -> tuple[str, int, int]:
    segment, _, rest = field.partition("-")
    number, _, component = rest.partition(".")
    return segment, int(number), int(component or 0)


LIBRARIES: Final[dict[str, Callable[[Sequence[str]], Task]]] = {
    "": with_passerelle,
    "python-hl7": with_python_hl7,
    "hl7apy": with_hl7apy,
}

WORK: Final[dict[str, tuple[Callable[[int], list[bytes]], Sequence[str], int, float]]] = {
    # figure: messages, the fields read, messages a round, seconds for each library
    "ADT of 1 KB": (admissions, ADMISSION_FIELDS, 200, 3.0),
    "ORU of 4 KB": (results, RESULT_FIELDS, 200, 3.0),
    "ORU with 5 MB PDF": (documents, RESULT_FIELDS, 8, 3.0),
}


def measure() -> dict[str, float]:
    """Return messages a second, by library and kind of message."""
    figures: dict[str, float] = {}
    for kind, (make, fields, count, seconds) in WORK.items():
        messages = make(count)
        for library, prepare in LIBRARIES.items():
            task = prepare(fields)
            require_done(library, task, messages[0])
            name = f"{library} parser, {kind}" if library else f"parser, {kind}"
            figures[name] = round(_rate(task, messages, seconds), 1)
    return figures


def require_done(library: str, task: Task, raw: bytes) -> None:
    """The new identifier stands in PID-3, and nothing is lost that stood behind it."""
    lines = task(raw).rstrip(b"\r").split(b"\r")
    expected = raw.rstrip(b"\r").split(b"\r")
    (identity,) = [line for line in lines if line.startswith(b"PID|")]
    if not identity.split(b"|")[3].startswith(NEW_ID.encode() + b"^^^GAM") or len(lines) != len(expected):
        raise AssertionError(f"{library or 'passerelle'} didn't do the task")


def _rate(task: Task, messages: Sequence[bytes], seconds: float) -> float:
    best = 0.0
    end = time.perf_counter() + seconds
    while True:
        done, begin = 0, time.perf_counter()
        for raw in messages:
            task(raw)
            done += 1
            if (now := time.perf_counter()) > end:
                break
        best = max(best, done / (now - begin))
        if now > end:
            return best
