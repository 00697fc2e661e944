"""`passerelle send`: a test client that sends a file over MLLP and prints each acknowledgement in words."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from engine.cli.options import common_options, options
from engine.cli.printing import note, print_json
from engine.core.ack import ERROR_TEXTS, AckCode, Answer
from engine.errors import DoorFailed, OperationRefused, ParseError
from engine.parsers.hl7v2.ack import read_ack
from engine.parsers.sniff import sniff
from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, Noise, frame

_ANSWER_BYTES_MAX: Final = 1_000_000
_READ_BYTES: Final = 65_536
_SECOND_MESSAGE: Final = re.compile(rb"(?<=[\r\n])(?=MSH[^A-Za-z0-9\s])")
_BLANK_END: Final = re.compile(rb"(\r\n|\r|\n)[\s]*\Z")
_MEANING: Final = {
    AckCode.AA: "accepted",
    AckCode.AE: "application error",
    AckCode.AR: "application reject",
    AckCode.CA: "commit accept: on safe storage",
    AckCode.CE: "commit error",
    AckCode.CR: "commit reject",
}
"""Table 0008."""


@dataclass(slots=True)
class Outcome:
    """What became of one message of the file."""

    number: int
    control_id: str
    accepted: bool
    sentence: str
    milliseconds: float
    code: str = ""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("address", metavar="HOST:PORT")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds to wait for each acknowledgement.",
)
@click.option("--force", is_flag=True, help="Send it also where it is neither HL7 v2 nor HPRIM.")
@common_options
def send(*, file: Path, address: str, timeout: float, force: bool) -> None:
    """
    Send the messages of FILE to HOST:PORT over MLLP, one after the other, and say how each is acknowledged.

    Nothing is sent when one of them is no message (a PDF, an image). Exits with 1 then, and when one is not
    accepted; with 69 when the receiver can't be reached or doesn't answer.
    """
    host, port = read_address(address)
    try:
        messages = messages_in(file.read_bytes())
    except OSError as error:
        raise OperationRefused(f"'{file}' can't be read: {error.strerror}", exit_code=2) from None
    if not messages:
        raise OperationRefused(f"'{file}' is empty: nothing to send")
    if not force:
        _require_messages(file, messages)
    outcomes = []
    with contextlib.closing(connect(host, port, timeout)) as connection:
        for outcome in exchange(connection, messages):
            outcomes.append(outcome)
            _print(outcome)
    _say_next(outcomes)
    click.get_current_context().exit(0 if all(outcome.accepted for outcome in outcomes) else 1)


def _require_messages(file: Path, messages: list[bytes]) -> None:
    """
    Look at all before the first is sent.

    Raises:
        OperationRefused: One is in no format that anybody would take.
    """
    strange = next((number for number, one in enumerate(messages, 1) if sniff(one) == "unknown"), 0)
    if strange:
        which = f"'{file}'" if len(messages) == 1 else f"message {strange} of '{file}'"
        raise OperationRefused(f"{which} is neither HL7 v2 nor HPRIM: nothing was sent; --force sends it all the same")


def _say_next(outcomes: list[Outcome]) -> None:
    """Where one was not accepted: who explains the answer, and where our own engine keeps what it refused."""
    refused = next((outcome.code for outcome in outcomes if outcome.code in ("AE", "AR", "CE", "CR")), "")
    if refused:
        note(
            f"`passerelle code {refused}` says what that means; what an engine of ours refused stands in "
            "`passerelle refusals`"
        )


def read_address(text: str) -> tuple[str, int]:
    """
    Read `127.0.0.1:6101`, `[::1]:6101`, `gam.example:6101`.

    Raises:
        OperationRefused: It has another form (usage).
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65_536):
        raise OperationRefused(f"'{text}' is no address; write it like 127.0.0.1:6101", exit_code=2)
    return host, int(port)


def messages_in(data: bytes) -> list[bytes]:
    """
    Cut a file into its messages: MLLP blocks where it has a frame, else one at each MSH that begins a line.

    Any image or PDF has the bytes of a frame somewhere: they are none where no block holds a message.

    Bytes are sent as they are; only blank lines around a message are left out, and an `FHS`/`BHS` batch whose
    first line is no MSH is one message.
    """
    if b"\x0b" in data and b"\x1c" in data:
        decoder = MllpDecoder(max_block_bytes=max(1, len(data)))
        decoder.receive_data(data)
        blocks = []
        while (event := decoder.next_event()) is not NEED_DATA:
            if isinstance(event, Block):
                blocks.append(event.payload)
        if any(sniff(block) != "unknown" for block in blocks):
            return blocks
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"MSH"):
        return [data] if data.strip() else []
    return [_BLANK_END.sub(rb"\1", one.lstrip(b"\r\n")) for one in _SECOND_MESSAGE.split(data) if one.strip()]


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """
    Connect.

    Raises:
        DoorFailed: Nobody is there (exit code 69).
    """
    try:
        return socket.create_connection((host, port), timeout=timeout)
    except OSError as error:
        raise DoorFailed(f"{host}:{port} can't be reached: {_why_away(error)}") from error


def _why_away(error: OSError) -> str:
    """Say why nobody could be reached, and what to look at."""
    reason = str(error.strerror or error).lower()
    if isinstance(error, socket.gaierror):
        return f"{reason}; look at the spelling, or write the address in numbers"
    if isinstance(error, ConnectionRefusedError):
        return f"{reason}: nobody listens there; is the port right, does the receiver run (here: `passerelle status`)?"
    if isinstance(error, TimeoutError):
        return f"{reason}: nothing answers; is the address right, does a firewall stand between?"
    return reason


def exchange(connection: socket.socket, messages: list[bytes]) -> Iterator[Outcome]:
    """
    Send each message and wait for its acknowledgement.

    Raises:
        DoorFailed: The receiver went away, or did not answer in time (exit code 69).
    """
    decoder = MllpDecoder(max_block_bytes=_ANSWER_BYTES_MAX)
    for number, message in enumerate(messages, 1):
        begin = time.monotonic()
        try:
            connection.sendall(frame(message))
            answer = _receive(connection, decoder)
        except TimeoutError:
            raise DoorFailed(f"message {number}: no answer in time; the receiver may have taken it") from None
        except OSError as error:
            raise DoorFailed(f"message {number}: the connection was lost: {error.strerror or error}") from error
        yield _judge(number, message, answer, (time.monotonic() - begin) * 1000)


def in_words(answer: Answer) -> str:
    """Say an acknowledgement in words: MSA-1 by table 0008, each ERR-3 by table 0357."""
    meaning = _MEANING.get(AckCode(answer.code), "") if answer.code in AckCode.__members__ else "not of table 0008"
    sentence = f"{answer.code or 'no MSA-1'} ({meaning})"
    for error in answer.errors:
        known = ERROR_TEXTS.get(int(error.code), "") if error.code.isdecimal() else ""
        words = [error.code, known or error.code_text]
        words += [f"at {error.location}" if error.location else "", f"({error.user_text})" if error.user_text else ""]
        sentence += "; " + " ".join(word for word in words if word)
    if answer.text and not any(answer.text == error.user_text for error in answer.errors):
        sentence += f": {answer.text}"
    return sentence


def _receive(connection: socket.socket, decoder: MllpDecoder) -> bytes:
    while True:
        event = decoder.next_event()
        if isinstance(event, Block):
            return event.payload
        if event is NEED_DATA:
            data = connection.recv(_READ_BYTES)
            if not data:
                raise DoorFailed("the receiver closed the connection before it answered")
            decoder.receive_data(data)
        elif not isinstance(event, Noise):
            raise DoorFailed("the receiver answers with something that is no MLLP block")


def _judge(number: int, message: bytes, answer: bytes, milliseconds: float) -> Outcome:
    control_id = _control_id(message)
    try:
        read = read_ack(answer)
    except ParseError as error:
        return Outcome(number, control_id, accepted=False, sentence=f"an answer that can't be read: {error.reason}",
                       milliseconds=milliseconds)  # fmt: skip
    accepted = read.code in (AckCode.AA, AckCode.CA)
    sentence = in_words(read)
    if control_id and read.control_id != control_id:
        accepted = False
        sentence += f"; but it answers '{read.control_id}' (MSA-2), not this message"
    return Outcome(number, control_id, accepted, sentence, milliseconds, read.code)


def _control_id(message: bytes) -> str:
    """Read MSH-10 for the eye, and to compare it with MSA-2; empty when there is none."""
    found = re.match(rb"[\s\xef\xbb\xbf]*MSH(.)[^\r\n]*", message, re.DOTALL)
    if found is None:
        return ""
    fields = found[0].split(found[1])
    return fields[9].decode("utf-8", "replace").strip() if len(fields) > 9 else ""


def _print(outcome: Outcome) -> None:
    if options().json:
        row: dict[str, Any] = {
            "message": outcome.number,
            "control_id": outcome.control_id,
            "accepted": outcome.accepted,
            "code": outcome.code,
            "sentence": outcome.sentence,
            "ms": round(outcome.milliseconds, 1),
        }
        print_json(row)
        return
    name = f"{outcome.number} {outcome.control_id}".strip()
    click.echo(f"{name}: {outcome.sentence}  ({outcome.milliseconds:.0f} ms)")
