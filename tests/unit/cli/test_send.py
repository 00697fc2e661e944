"""`passerelle send`: a test client over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.cli.send import in_words, messages_in, read_address
from engine.core.ack import Answer, AnswerError
from engine.errors import OperationRefused
from tests.support.custody import body


@contextmanager
def receiver(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Listen, and answer each block with the next of these; an empty one closes the connection."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(60)
                for answer in answers:
                    block = b""
                    while not block.endswith(b"\x1c\r"):
                        block += connection.recv(65_536)
                    seen.append(block)
                    if answer:
                        connection.sendall(b"\x0b" + answer + b"\x1c\r")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}", seen
        thread.join(10)


def ack(number: int, code: str = "AA", more: str = "") -> bytes:
    """Return an acknowledgement of the n-th message."""
    return f"MSH|^~\\&|DPI|GHT|GAM|CHA|20231114||ACK^A01^ACK|A{number}|P|2.5\rMSA|{code}|C{number}\r{more}".encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two messages in one file."""
    path = tmp_path / "two.hl7"
    path.write_bytes(body(1) + b"\r\n" + body(2))
    return path


def test_each_message_is_acknowledged_in_words(passerelle, file: Path) -> None:
    """A negative answer is exit code 1, with the code of table 0357 in words."""
    refused = ack(2, "AE", "ERR||PID^1^7|102^Data type error^HL70357|E||||birth date\r")
    with receiver(ack(1), refused) as (address, seen):
        shown = passerelle("send", str(file), address)
    assert shown.exit_code == 1
    first, second = shown.stdout.splitlines()
    assert first.startswith("1 C1: AA (accepted)")
    assert second.startswith("2 C2: AE (application error); 102 Data type error at PID^1^7")
    assert seen[0] == b"\x0b" + body(1) + b"\x1c\r"
    assert shown.stderr.startswith("`passerelle code AE` says what that means")


def test_all_accepted(passerelle, file: Path) -> None:
    """Exit code 0; JSON lines."""
    with receiver(ack(1), ack(2)) as (address, _):
        shown = passerelle("send", str(file), address, "--json")
    assert shown.exit_code == 0
    assert [json.loads(line)["code"] for line in shown.stdout.splitlines()] == ["AA", "AA"]


def test_an_answer_to_another_message_is_no_acceptance(passerelle, file: Path) -> None:
    """MSA-2 is compared with MSH-10."""
    with receiver(ack(1), ack(1)) as (address, _):
        shown = passerelle("send", str(file), address)
    assert (shown.exit_code, "but it answers 'C1'" in shown.stdout, shown.stderr) == (1, True, "")


def test_a_receiver_that_is_away_or_leaves(passerelle, file: Path) -> None:
    """Exit code 69, and a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    shown = passerelle("send", str(file), address)
    assert (shown.exit_code, "can't be reached" in shown.stderr) == (69, True)
    assert "nobody listens there; is the port right" in shown.stderr
    with receiver(b"") as (address, _):
        shown = passerelle("send", str(file), address)
    assert (shown.exit_code, "closed the connection before it answered" in shown.stderr) == (69, True)


PDF = b"%PDF-1.4\n" + bytes(range(256)) * 20
"""Holds the bytes of a frame, as any PDF or image does."""


def test_what_is_no_message_is_not_sent(passerelle, tmp_path: Path) -> None:
    """Nobody is even called: exit code 1, and how to send it all the same."""
    file = tmp_path / "scan.pdf"
    file.write_bytes(PDF)
    shown = passerelle("send", str(file), "127.0.0.1:1")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "scan.pdf' is neither HL7 v2 nor HPRIM: nothing was sent; --force sends it all the same" in shown.stderr
    file.write_bytes(b"\x0b" + body(1) + b"\x1c\r\x0bhello\x1c\r")
    assert "message 2 of '" in passerelle("send", str(file), "127.0.0.1:1").stderr
    with receiver(ack(1), ack(1, "AR")) as (address, seen):
        shown = passerelle("send", str(file), address, "--force")
    assert (shown.exit_code, seen[1]) == (1, b"\x0bhello\x1c\r")


def test_a_file_with_the_bytes_of_a_frame_is_one_thing() -> None:
    """It isn't cut into what stands between them."""
    assert messages_in(PDF) == [PDF]


def test_files_are_cut_at_each_header() -> None:
    """Segments may end in CR, LF or both; frames win; what has no header is sent as it is."""
    one, two = body(1), body(2)
    assert messages_in(one + two) == [one, two]
    lines = (one + two).replace(b"\r", b"\r\n")
    assert len(messages_in(lines)) == 2
    assert messages_in(b"\x0b" + one + b"\x1c\r\x0b" + two + b"\x1c\r") == [one, two]
    assert messages_in(b"H|~^\\&|F1\rP|1\r") == [b"H|~^\\&|F1\rP|1\r"]
    assert messages_in(b" \r\n") == []
    assert b"".join(messages_in(one + two)) == one + two


def test_addresses() -> None:
    """IPv4, IPv6, names; nothing else."""
    assert read_address("[::1]:6101") == ("::1", 6101)
    assert read_address("gam.example:1") == ("gam.example", 1)
    for wrong in ("6101", "host:", ":1", "host:70000", "host:x"):
        with pytest.raises(OperationRefused, match="is no address"):
            read_address(wrong)


def test_words_for_codes_of_no_table() -> None:
    """A receiver's own codes are shown as they are."""
    errors = [AnswerError("999", "own code"), AnswerError("207", severity="E", user_text="busy")]
    assert in_words(Answer("XX", "1", errors=errors)) == (
        "XX (not of table 0008); 999 own code; 207 Application internal error (busy)"
    )
    assert in_words(Answer("", "1", text="no")) == "no MSA-1 (not of table 0008): no"
