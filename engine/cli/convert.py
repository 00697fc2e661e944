"""`passerelle convert`: a file on disk from one standard to the other, or to JSON; nothing is sent or stored."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from engine.cli.files import messages_of
from engine.cli.options import common_options
from engine.cli.printing import print_json
from engine.errors import OperationRefused, ParseError, StepFailed
from engine.parsers import open_message
from engine.parsers.charset import codec_of

if TYPE_CHECKING:
    from engine.conversion import Attachment
    from engine.parsers.hl7v2.message import Message

_ATTACHMENT_BYTES_MAX: Final = 100_000_000


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Choice(["hl7", "hprim", "json"]), required=True, help="What to make.")
@click.option(
    "--message", "wanted", default="", metavar="NAME", help="Which HL7 message: ORU_R01, ORM_O01, ADT_A31 and so on."
)
@click.option("--version", default="", metavar="VERSION", help="Of HL7 (default 2.5) or of HPRIM Santé (default 2.5).")
@click.option("--charset", default="CP1252", show_default=True, help="Of HPRIM, which declares none: read and written.")
@click.option("--output", type=click.Path(path_type=Path), metavar="PATH", help="Write to this file instead of stdout.")
@common_options
def convert(*, file: Path, target: str, wanted: str, version: str, charset: str, output: Path | None) -> None:
    """
    Convert the messages of FILE (`-`: stdin), whose format is seen from its content.

    Documents beside an HPRIM file are read from its folder; those of an HL7 message are written beside PATH.
    What found no place is told on stderr, and counted.
    """
    codec = codec_of(charset)
    if not codec:
        raise OperationRefused(f"'{charset}' is no charset that is known: CP1252, ISO-8859-15, UTF-8", exit_code=2)
    findings: list[str] = []
    written: list[bytes] = []
    for raw in messages_of(file):
        try:
            message = open_message(raw, default_charset=codec)
            if target == "json":
                _as_json(message)
            elif target == "hl7":
                written += _to_hl7(message, file, wanted, version, findings)
            else:
                written.append(_to_hprim(message, version, codec, output, findings))
        except ParseError as error:
            raise OperationRefused(f"'{file}' can't be read: {error}") from None
        except StepFailed as error:
            raise OperationRefused(f"'{file}' can't be converted: {error}") from None
    if target != "json":
        _write(b"".join(written), output)
    _tell(findings)


def _as_json(message: Message) -> None:
    from engine.conversion.as_json import as_json

    print_json(as_json(message))


def _to_hl7(message: Message, file: Path, wanted: str, version: str, findings: list[str]) -> list[bytes]:
    from engine.conversion import to_hl7
    from engine.conversion.forms import MESSAGES, VERSIONS

    if message.format == "hl7v2":
        raise OperationRefused(f"'{file}' is HL7 already: --to hprim or --to json")
    _check("--message", wanted, MESSAGES)
    _check("--version", version.partition("^")[0], VERSIONS)
    made = to_hl7(
        message, wanted=wanted, version=version or "2.5", attachments=_attachments(message, file), on_missing="pointer"
    )
    findings += [*message.findings, *made.findings]
    return [one.data for one in made.messages]


def _attachments(message: Message, file: Path) -> dict[str, bytes]:
    """Read the documents that lie beside a file."""
    from engine.conversion import attached_files
    from engine.transports.directory.attachments import look_for

    if str(file) == "-":
        return {}
    looked = {one.path: look_for(file.parent, one.path, _ATTACHMENT_BYTES_MAX) for one in attached_files(message)}
    return {path: attached.data for path, attached in looked.items() if attached.state == "here"}


def _to_hprim(message: Message, version: str, codec: str, output: Path | None, findings: list[str]) -> bytes:
    from engine.conversion import hl7_to_hprim
    from engine.conversion.hl7_to_hprim import VERSIONS

    if message.format != "hl7v2":
        raise OperationRefused("the file is HPRIM already: --to hl7 or --to json")
    _check("--version", version, VERSIONS)
    made = hl7_to_hprim(message, version=version or "2.5")
    findings += [*message.findings, *made.findings]
    if made.attachments:
        _write_beside(made.attachments, output)
    try:
        return made.data.decode().encode(codec)
    except UnicodeEncodeError:
        raise OperationRefused(f"a character of the message has no place in {codec}; give --charset UTF-8") from None


def _write_beside(attachments: Sequence[Attachment], output: Path | None) -> None:
    """Write documents beside the output, never over a file that is there."""
    from engine.transports.directory.files import free_path, safe_name

    if output is None:
        sentence = f"{len(attachments)} documents go beside the HPRIM file: give --output PATH"
        raise OperationRefused(sentence, exit_code=2)
    for attachment in attachments:
        path = output.parent / safe_name(attachment.path.rpartition("/")[2])
        if not (path.is_file() and path.read_bytes() == attachment.data):
            free_path(path.parent, path.name).write_bytes(attachment.data)


def _check(option: str, value: str, allowed: Sequence[str]) -> None:
    if value and value not in allowed:
        raise OperationRefused(f"{option} {value} isn't possible: {', '.join(allowed)}", exit_code=2)


def _write(data: bytes, output: Path | None) -> None:
    """Write the very bytes; on a terminal, where CR would write lines over each other, with line feeds."""
    if output is not None:
        output.write_bytes(data)
    elif sys.stdout.isatty():
        click.echo(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), nl=False)
    else:
        click.echo(data, nl=False)


def _tell(findings: list[str]) -> None:
    from engine.operations.codes import meaning_of

    for finding, count in Counter(findings).items():
        meaning = meaning_of(finding)
        times, words = f" ({count} times)" if count > 1 else "", f": {meaning.what}" if meaning is not None else ""
        click.echo(f"passerelle: {finding}{times}{words}", err=True)
