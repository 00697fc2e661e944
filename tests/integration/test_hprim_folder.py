"""A laboratory's folder: files with documents to HL7 over a real socket, and HL7 to a folder of files."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from engine.daemon import folders as watched
from tests.support.engine import free_port, running_engine
from tests.support.mllp import Sender, field_of, receiver
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  labo:
    type: directory
    site: cha
    untyped: ipp
    format: auto
    path: {folder}/aller
    pattern: "*.hpr"
    settle: 0
    poll: 50ms
    attachments: {{ wait: {wait}, on_missing: dead_letter }}
    answer_files: {{ path: {folder}/retour }}
  lis: {{ type: mllp, site: cha, listen: 127.0.0.1:{port} }}
destinations:
  dpi: {{ type: mllp, connect: 127.0.0.1:{dpi}, encode: {{ control_id: as_received }} }}
  town: {{ type: directory, path: {folder}/town, file_name: "{{id}}.HPR", encode: {{ charset: CP1252 }} }}
  archive: {{ type: directory, path: {folder}/archive, file_name: "{{id}}.hpr", encode: as_received }}
routes:
  results:
    from: [labo]
    steps:
      - hprim_to_hl7: {{ version: "2.5" }}
      - normalise_authorities: {{ on_unknown: keep }}
    to: [dpi]
  kept:
    from: [labo]
    to: [archive]
  to_town:
    from: [lis]
    steps: [ {{ hl7_to_hprim: {{ version: "2.3" }} }} ]
    to: [town]
"""
TWO = (
    "H|~^\\&|LAB1.HPR||000000026~LABO||ORU|||CHA||P|H2.3~L|20260102\r\nP|1|77~78~FU|L1||DÜRAND~Zoé\r\n"
    "OBR|1|~D1|~F1|CR\r\nOBX|1|FIC|CR~Compte rendu~L||~cr1.pdf~PDF\r\nP|2|79|||MARTIN~Luc\r\nOBR|1|~D2|~F2|GLU\r\n"
    "OBX|1|NM|GLU||5.4\r\nL|1||2|8\r\n"
).encode("cp1252")


def folders(path: Path) -> None:
    for name in ("aller", "retour", "town", "archive"):
        (path / name).mkdir()


def put(path: Path, data: bytes) -> None:
    path.with_name(f".{path.name}").write_bytes(data)
    path.with_name(f".{path.name}").rename(path)


def test_a_file_becomes_one_message_a_patient(tmp_path: Path) -> None:
    """The fusion first, the document inside, each in its patient's lanes; the file waits for its document and is
    answered; as received it goes on with its document."""

    async def run() -> None:
        folders(tmp_path)
        async with receiver() as dpi:
            text = ROUTES.format(folder=tmp_path, wait="1m", port=free_port(), dpi=dpi.port)
            async with running_engine(text, tmp_path) as engine:
                put(tmp_path / "aller" / "LAB1.hpr", TWO)
                await until(lambda: engine.service.sources()["labo"]["waiting_for_attachments"])
                assert await engine.states() == {}
                put(tmp_path / "aller" / "CR1.PDF", b"%PDF-1.4")
                await engine.settled(delivered=1)
                sent = await dpi.wait_for(3)
                assert [field_of(one, b"MSH", 9) for one in sent if b"77^" in one] == [
                    "ADT^A40^ADT_A39", "ORU^R01^ORU_R01",
                ]  # fmt: skip
                assert {field_of(one, b"MSH", 10) for one in sent} == {"LAB1-1.HPR", "LAB1-2.HPR", "LAB1-3.HPR"}
                document = next(one for one in sent if b"|ED|" in one)
                assert base64.b64encode(b"%PDF-1.4") in document
                assert "DÜRAND" in document.decode()
                assert "77^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI" in document.decode()
                (row,) = await engine.messages()
                assert (row["attachments"], row["format"], row["control_id"]) == (1, "hprim-sante", "LAB1.HPR")
                deliveries = await engine.queries.deliveries_of(1)
                of_dpi = [one for one in deliveries if one["destination"] == "dpi"]
                assert [one["type"] for one in of_dpi] == ["ADT^A40", "ORU^R01", "ORU^R01"]
                assert [len(one["lanes"]) for one in of_dpi] == [3, 3, 1]
        (file,) = (tmp_path / "archive").glob("1-3-??????.hpr")
        assert file.read_bytes() == TWO
        assert (tmp_path / "archive" / "cr1.pdf").read_bytes() == b"%PDF-1.4"
        moved = {path.name for path in (tmp_path / "aller").rglob("*") if path.is_file()}
        assert moved == {"LAB1.hpr", "CR1.PDF"}
        assert not [path for path in (tmp_path / "aller").iterdir() if path.is_file()]
        answer = (tmp_path / "retour" / "LAB1.ERR").read_bytes()
        assert answer.startswith(b"H|~^\\&|LAB1.ERR||CHA||ERR|||000000026~LABO||P|H2.3~L|")
        assert b"\r\nERR|" not in answer

    asyncio.run(run())


def test_a_document_that_doesn_t_come(tmp_path: Path) -> None:
    """The wait ends: a dead letter that says so; a file that is no message is answered with an ERR."""

    async def run() -> None:
        folders(tmp_path)
        async with receiver() as dpi:
            text = ROUTES.format(folder=tmp_path, wait="100ms", port=free_port(), dpi=dpi.port)
            async with running_engine(text, tmp_path) as engine:
                put(tmp_path / "aller" / "LAB1.hpr", TWO)
                await engine.settled(dead=1)
                (row,) = await engine.messages()
                assert (row["code"], row["field"], row["attachments"]) == ("E-ATTACHMENT", "OBX[2=FIC]-5[*]", 1)
                put(tmp_path / "aller" / "bad.hpr", b"nothing of the kind")
                await until((tmp_path / "aller" / "refused" / "bad.hpr").exists)

    asyncio.run(run())


def test_what_comes_again(tmp_path: Path) -> None:
    """The same file with the same document is a retransmission; another document, or another date, is news."""

    async def run() -> None:
        folders(tmp_path)
        taken: list[bytes] = []
        other_date = TWO.replace(b"20260102", b"20260103")
        async with receiver() as dpi:
            text = ROUTES.format(folder=tmp_path, wait="1m", port=free_port(), dpi=dpi.port)
            async with running_engine(text, tmp_path) as engine:
                for data, document, states in (
                    (TWO, b"%PDF-1", {"delivered": 1}),
                    (TWO, b"%PDF-1", {"delivered": 1, "duplicate": 1}),
                    (TWO, b"%PDF-2", {"delivered": 2, "duplicate": 1}),
                    (other_date, b"%PDF-2", {"delivered": 3, "duplicate": 1}),
                ):
                    put(tmp_path / "aller" / "cr1.pdf", document)
                    put(tmp_path / "aller" / "LAB1.hpr", data)
                    await engine.settled(**states)
                    if (beside := tmp_path / "archive" / "cr1.pdf").exists():  # the receiver takes it
                        taken.append(beside.read_bytes())
                        beside.unlink()
        assert taken == [b"%PDF-1", b"%PDF-2", b"%PDF-2"]

    asyncio.run(run())


def test_hl7_becomes_a_file_with_its_documents(tmp_path: Path) -> None:
    """H-2 is the file's name, CP1252 as the receiver wants it, documents before the message."""

    async def run() -> None:
        folders(tmp_path)
        port = free_port()
        async with receiver() as dpi:
            text = ROUTES.format(folder=tmp_path, wait="1m", port=port, dpi=dpi.port)
            async with running_engine(text, tmp_path) as engine, Sender.connected(port) as sender:
                answer = await sender.ask(
                    "MSH|^~\\&|LIS|LABO^000000026^N|DPI|CHA|20260102||ORU^R01|A1|P|2.5|||||FRA|UNICODE UTF-8\r"
                    "PID|1||77^^^^PI||DÜRAND^Zoé^^^^^L\rOBR|1||F1|CR\r"
                    "OBX|1|ED|CR||^application^pdf^Base64^JVBERg==\r".encode()
                )
                assert field_of(answer, b"MSA", 1) == "AA"
                await engine.settled(delivered=1)
        (file,) = (tmp_path / "town").glob("1-0-??????.HPR")
        written = file.read_bytes()
        assert written.startswith(f"H|~^\\&|{file.name}||000000026~LABO||ORU|||CHA~DPI||P|H2.3~C|20260102\r\n".encode())
        assert "DÜRAND~Zoé".encode("cp1252") in written
        assert b"OBX|1|FIC|CR||~A1_1.PDF~PDF\r\n" in written
        assert (tmp_path / "town" / "A1_1.PDF").read_bytes() == b"%PDF"

    asyncio.run(run())


def test_an_answer_that_can_t_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is in custody and stays, people are told; when it can be, it is written once, and they hear of that."""
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.05)

    async def run() -> None:
        folders(tmp_path)
        (tmp_path / "retour").rmdir()
        async with receiver() as dpi:
            routes = ROUTES.format(folder=tmp_path, dpi=dpi.port, port=free_port(), wait="1m")
            async with running_engine(routes, tmp_path) as engine:

                def opened() -> list[str]:
                    return [alert["code"] for alert in engine.service.engine()["alerts"]["open"]]

                put(tmp_path / "aller" / "CR1.PDF", b"%PDF-1.4")
                put(tmp_path / "aller" / "a.hpr", TWO)
                await until(lambda: opened() == ["E-FOLDER-AWAY"])
                assert (tmp_path / "aller" / "a.hpr").exists()
                (tmp_path / "retour").mkdir()
                await until(lambda: opened() == [])
                assert [path.name for path in (tmp_path / "retour").iterdir()] == ["a.ERR"]
                assert not (tmp_path / "aller" / "a.hpr").exists()
                await engine.settled(delivered=1)

    asyncio.run(run())
