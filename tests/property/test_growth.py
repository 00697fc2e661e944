"""
Time and memory grow with the size of a message, whatever it is made of.

Steps (calls of functions) are counted, which is the same on every machine; processor time is measured too, because a
single call may hide a loop: a quadratic one takes a hundred times as long for ten times the bytes.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from engine.conversion import hl7_to_hprim, to_hl7
from engine.conversion.as_json import as_json
from engine.core import splices
from engine.errors import ParseError, StepFailed
from engine.operations.trees import tree_of
from engine.parsers import base_of, header_of, open_message, sniff
from engine.parsers.hl7v2.batch import is_batch, split_batch
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from tests.support import growth
from tests.support.handling import validated
from tests.support.steps import SECONDS_RATIO_MAX, STEPS_A_BYTE, STEPS_RATIO_MAX, grown, steps

Work = Callable[[bytes], object]
TIMES: Final = 10
READ: Final = [Path.parse(text) for text in ("PID-5.1", "OBX[*]-5", "OBX[3=A]-5", "OBX[*]-5[*].2", "NTE[*]-3",
                                             "C[*]-3", "TXT[*]-1", "RES[*]-4")]  # fmt: skip
WRITTEN: Final = [Path.parse(text) for text in ("PID-5.1", "OBX[*]-5", "NTE[last]-3", "MSH-10", "P-5.1", "C[*]-3",
                                                "ENT-2", "TXT[*]-1")]  # fmt: skip


def unless_refused(work: Work) -> Work:
    """What has no such segment, or no form in the other standard, is work too."""

    def run(raw: bytes) -> None:
        try:
            work(raw)
        except StepFailed:
            return

    return run


def read(raw: bytes) -> None:
    message = open_message(raw)
    for path in READ:
        path.read(message)


def edited(raw: bytes) -> None:
    message = open_message(raw).copy()
    for path in WRITTEN:
        unless_refused(lambda _, path=path: path.write(message, "x"))(raw)
    _, difference = message.render()
    splices.apply(raw, splices.pack(difference, message.base_flag), base_of)


def normalised(raw: bytes) -> None:
    message = open_message(raw.replace(b"|", b"$").replace(b"^", b"%"))
    message.normalise_delimiters()
    message.to_bytes()


def batch(raw: bytes) -> None:
    is_batch(raw)
    split_batch(raw)


ANY: Final[dict[str, Work]] = {
    "header": lambda raw: (sniff(raw), header_of(raw)),
    "open": open_message,
    "read": read,
    "edit": edited,
    "json": lambda raw: as_json(open_message(raw)),
    "tree": tree_of,
}
FORMATS: Final[dict[str, tuple[dict[str, growth.Shape], dict[str, Work]]]] = {
    "hl7v2": (
        growth.HL7,
        ANY | {
            "as received": Message.parse, "normalise": normalised, "validate": lambda raw: validated(open_message(raw)),
            "to hprim": unless_refused(lambda raw: hl7_to_hprim(open_message(raw))),
        },
    ),
    "batch": (growth.BATCHES, {"split": batch}),
    "hprim-sante": (growth.SANTE, ANY | {"to hl7": unless_refused(lambda raw: to_hl7(open_message(raw)))}),
    "hprim-medecin": (growth.MEDECIN, ANY | {"to hl7": unless_refused(lambda raw: to_hl7(open_message(raw)))}),
}  # fmt: skip
CASES: Final = [
    pytest.param(shape, works, id=f"{format_}, {name}")
    for format_, (shapes, works) in FORMATS.items()
    for name, shape in shapes.items()
]


@pytest.mark.parametrize(("shape", "works"), CASES)
def test_steps_grow_with_the_size(shape: growth.Shape, works: dict[str, Work]) -> None:
    """From 7 to 70 KB."""
    small, large = shape(7_000), shape(70_000)
    for name, work in works.items():
        work(small)  # what is compiled once is no step
        few, many = steps(partial(work, small)), steps(partial(work, large))
        assert many <= max(STEPS_RATIO_MAX * few, STEPS_A_BYTE * len(large)), f"{name}: {few} steps, then {many}"


@pytest.mark.parametrize(("shape", "works"), CASES)
def test_time_grows_with_the_size(shape: growth.Shape, works: dict[str, Work]) -> None:
    """From 30 to 300 KB; the work that every message has."""
    small, large = shape(30_000), shape(300_000)
    for name, work in works.items():
        if name not in ("open", "edit", "split"):
            continue  # test_time_grows_with_the_size_to_the_limits
        ratio = grown(partial(work, small), partial(work, large))
        assert ratio < SECONDS_RATIO_MAX, f"{name}: {ratio:.0f} times as long"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("shape", "works"), CASES)
def test_time_grows_with_the_size_to_the_limits(shape: growth.Shape, works: dict[str, Work]) -> None:
    """From 10 KB to 10 MB, where the limits on a message (parsers.extent) let it grow so far."""
    for name, work in works.items():
        for size in (10_000, 100_000, 1_000_000):
            small, large = shape(size), shape(TIMES * size)
            try:
                ratio = grown(partial(work, small), partial(work, large))
            except ParseError:
                break  # beyond the limits: refused, and that is quick
            assert ratio < SECONDS_RATIO_MAX, f"{name}: {ratio:.0f} times as long for {TIMES * size} bytes"


PDF_BYTES: Final = 50_000_000


@pytest.fixture(scope="module")
def document() -> bytes:
    """A message with a document of 50 MB in base64."""
    return growth.HL7["document"](PDF_BYTES)


@pytest.mark.parametrize(
    ("work", "copies"),
    [
        (lambda raw: (sniff(raw), header_of(raw)), 0.01),
        (Message.parse, 0.01),
        (open_message, 0.01),
        (lambda raw: Path.parse("PID-5.1").read(open_message(raw)), 0.01),
        (lambda raw: Path.parse("PID-3.1").write(open_message(raw), "x"), 0.01),
        (lambda raw: open_message(raw).to_bytes(), 0.01),
        (lambda raw: _patient_changed(raw), 1.1),
        (lambda raw: validated(open_message(raw)), 3.1),
        (lambda raw: tree_of(raw), 4.1),
        (lambda raw: hl7_to_hprim(open_message(raw)), 6.1),
    ],
    ids=["header", "as received", "open", "read", "write", "untouched", "edit", "validate", "show", "to hprim"],
)
def test_a_large_document_is_not_copied_again_and_again(document: bytes, work: Work, copies: float) -> None:
    """Peak of what is allocated, in sizes of the message."""
    tracemalloc.start()
    try:
        work(document)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= copies * len(document) + 200_000, f"{peak / len(document):.2f} sizes"


def _patient_changed(raw: bytes) -> bytes:
    message = open_message(raw)
    Path.parse("PID-3.1").write(message, "x")
    return message.to_bytes()
