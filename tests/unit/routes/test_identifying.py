"""Who the patients of one message are: what is decided again as it was, what isn't, how often rows are asked for."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from engine.parsers import open_message
from engine.routes import identifying
from tests.support.group import DOORS, INS, ROUTES, SITES, Group, group, hl7, of_cha, of_chb

NIR = f"260051305500182{INS}"
MANY = "~".join(of_cha(number) for number in range(1000, 2500))


def test_what_tells_the_status_is_read_anew(tmp_path: pathlib.Path) -> None:
    """The same PID twice, then with a segment that hides the identity, or says how it was acquired."""

    async def test(it: Group) -> None:
        plain = ("A31", of_cha(1))
        await it.send("gam_cha", *(hl7(number, *plain) for number in (1, 2)))
        assert it.identities.usual

        def attributes() -> tuple[str, ...]:
            return it.store.disk.patients[1].assertions[0].attributes

        assert attributes() == ()
        await it.send("gam_cha", hl7(3, *plain, "PD1" + "|" * 12 + "Y"))
        assert attributes() == ("hidden",)
        await it.send("gam_cha", hl7(4, *plain))
        await it.send("gam_cha", hl7(5, *plain, "PV1||I", "PV2" + "|" * 22 + "Y"))
        assert attributes() == ("hidden",)

    group(tmp_path, test)


def test_what_another_patient_says_is_looked_at_anew(tmp_path: pathlib.Path) -> None:
    """An INS of two, whose traits differ by a name that is then corrected: the same message as before links them."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A31", f"{of_cha(1)}~{NIR}", name="MARTIN^LEO^LEO"))
        same = [hl7(number, "A31", f"{of_chb(2)}~{NIR}") for number in (2, 3, 4)]
        await it.send("gam_chb", *same[:2])
        assert len(it.store.disk.patients) == 2
        await it.send("gam_cha", hl7(5, "A31", f"{of_cha(1)}~{NIR}"))
        await it.send("gam_chb", same[2])
        assert len(it.store.disk.patients) == 1

    group(tmp_path, test)


@pytest.mark.parametrize("source", ["gam_cha", "lis_cha"])
def test_all_rows_of_a_message_are_asked_for_at_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """A PID-3 of thousands of numbers is read a few times, not once a number: others wait behind it."""

    async def test(it: Group) -> None:
        reads: list[int] = []
        read = it.store.identities

        async def counted(identifiers: Any, patients: Any = (), traits: Any = ()) -> Any:
            reads.append(len(identifiers))
            return await read(identifiers, patients, traits)

        monkeypatch.setattr(it.store, "identities", counted)
        type_, event = ("ADT", "A28") if source == "gam_cha" else ("ORU", "R01")
        await it.send(source, hl7(1, event, MANY, type_=type_))
        await it.send("gam_cha", hl7(2, "A28", of_cha(1)))
        assert sum(reads) >= 1500
        assert len(reads) < 10
        assert it.number("dpi", 2)

    group(tmp_path, test)


def test_what_is_kept_of_a_message_is_small(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a sender puts into its PID doesn't stay in memory by the thousand: a digest does, of few messages."""
    monkeypatch.setattr(identifying, "USUAL_MAX", 2)

    async def test(it: Group) -> None:
        raws = [hl7(number, "A31", of_cha(1), name=f"MARTIN^LEA^LEA^{'X' * 10_000}") for number in (1, 2, 3)]
        await it.send("gam_cha", *raws)
        assert it.number("dpi", 3)
        kept = [part for key in it.identities.usual for part in key]
        assert kept
        assert all(len(part) < 100 for part in kept if isinstance(part, bytes | str))
        for patient in (2, 3, 4):
            await it.send("gam_cha", *(hl7(f"{patient}{rank}", "A31", of_cha(patient)) for rank in range(3)))
        assert len(it.identities.usual) == 2
        monkeypatch.setattr(identifying, "_USUAL_ROWS_MAX", 0)
        it.identities.usual.clear()
        await it.send("gam_cha", *(hl7(f"9{rank}", "A31", of_cha(2)) for rank in range(3)))
        assert not it.identities.usual

    group(tmp_path, test)


def test_the_same_text_with_other_delimiters_says_something_else() -> None:
    """What stands for a number and what for its neighbour, the header tells."""
    line = "P|1|10^20|||MARTIN^LEA"
    usual, other = (
        open_message(f"H|{marks}|1||GAM|ADM\r{line}\r".encode(), "hprim-sante", default_charset="utf-8", as_utf8=True)
        for marks in ("~^\\&", "^~\\&")
    )
    assert usual.peek(1).line() == other.peek(1).line()
    assert identifying._said(usual) != identifying._said(other)


RAW = "  raw: { type: mllp, connect: '127.0.0.1:5509', encode: as_received, may_have: [ins], production: yes }\n"
TWICE = (
    SITES
    + DOORS.replace("destinations:\n", f"destinations:\n{RAW}")
    + ROUTES.replace("to:\n      - dpi", "to:\n      - raw\n      - dpi")
)


def _in_latin(data: bytes) -> bytes:
    return data.decode().replace("UNICODE UTF-8", "8859/1").encode("latin-1")


def _with_sequences(data: bytes) -> bytes:
    return _in_latin(data).replace(b"\xc9", b"\\XC9\\", 1)


def _with_other_delimiters(data: bytes) -> bytes:
    return _in_latin(data.replace(b"|", b"#").replace(b"^", b"*"))


@pytest.mark.parametrize("written", [_in_latin, _with_sequences, _with_other_delimiters, lambda data: data])
def test_received_bytes_are_the_same_patients(tmp_path: pathlib.Path, written: Callable[[bytes], bytes]) -> None:
    """`as_received` runs the steps on the bytes as they came: the decision is one, and what it reads the same names."""

    async def test(it: Group) -> None:
        name = "HÉLÈNE^ZOÉ^ZOÉ"
        sent = [written(hl7(number, "A31", f"{of_cha(1)}~{NIR}", name=name)) for number in (1, 2, 3)]
        await it.send("gam_cha", *sent)
        assert len(it.store.disk.identity_events) == 1
        (asserted,) = it.store.disk.patients[1].assertions
        assert (asserted.birth_name, asserted.first_name) == ("HÉLÈNE", "ZOÉ")
        delivered = [data for _, data in it.doors["raw"].data]
        number = it.number("dpi", 1).encode()
        for before, after in zip(sent, delivered, strict=True):
            assert number in after
            marks = before[3:5]
            assert after.split(b"\r")[2].split(marks[:1])[5] == before.split(b"\r")[2].split(marks[:1])[5]

    group(tmp_path, test, text=TWICE)
