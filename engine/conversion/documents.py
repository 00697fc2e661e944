r"""
Documents: a file beside an HPRIM message (OBX-2 FIC, OBX-5 `folder~file~PDF`) and encapsulated data of HL7 (ED).

    OBX|3|ED|CR^Compte rendu^L||^application^pdf^Base64^JVBERi0…       table 0834, HL7 v2.5 § 2.A.24
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from engine.conversion.respelling import to_standard
from engine.conversion.segments import NULL, REPETITION, get, given, join, leaf, parts, text_of
from engine.conversion.tree import Result
from engine.errors import StepFailed
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.escapes import unescape
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path

MISSING: Final = "E-ATTACHMENT"
"""Code of the failure of a message whose file isn't there."""
FILE: Final = b"FIC"
FILES_OF_HPRIM: Final = Path.parse("OBX[2=FIC]-5[*]")
"""Where HPRIM Santé names files."""

_MEDIA: Final = {"PDF": (b"application", b"pdf"), "TXT": (b"text", b"plain"), "XML": (b"text", b"xml")}
"""Kind of FIC to type and subtype of ED."""
_UNKNOWN: Final = (b"application", b"octet-stream")
_NO_KIND: Final = "BIN"
"""What an ED holds whose subtype is no extension."""
_EXTENSION: Final = re.compile(r"[A-Z][A-Z0-9]{0,4}")
_KINDS: Final = {subtype: kind for kind, (_, subtype) in _MEDIA.items()}


class AttachedFile(NamedTuple):
    """What OBX-5 of FIC says."""

    path: str
    """`folder/name`, or the name alone; `/` between folders whatever the sender's system writes."""
    kind: str
    """`PDF`, `TXT`, or another extension, in capitals; empty where it isn't told."""


class Document(NamedTuple):
    """What an ED holds."""

    data: bytes
    kind: str
    """As AttachedFile."""


class AttachmentMissing(Exception):
    """A file that an OBX names was not given."""

    def __init__(self, file: AttachedFile) -> None:
        super().__init__("attachment missing")
        self._file = file

    def failure(self) -> StepFailed:
        """Return what stops the step; the file's name, and what it ends with, may hold a patient's and isn't told."""
        what = f"the {self._file.kind} file" if self._file.kind in _MEDIA else "the file"
        return StepFailed(MISSING, f"{what} that it names is not here", field="OBX-5")

    def pointer(self) -> tuple[bytes, bytes]:
        """Return type and value of an OBX that points at the file (RP, HL7 v2.5 § 2.A.65)."""
        type_, subtype = _media(self._file.kind)
        return b"RP", join(leaf(self._file.path), b"", type_, subtype)


def file_of(value: bytes) -> AttachedFile:
    """
    Read OBX-5 of FIC.

    Args:
        value: `folder~file~kind` in HL7's delimiters; folder and kind may be absent.
    """
    folder, name, kind, *_ = [text_of(one).strip() for one in parts(value.partition(b"~")[0], 3)]
    if not name or (not kind and name.upper() in _MEDIA):
        folder, name, kind = "", folder, name or kind  # the file's name alone, or with its kind
    steps = [step for step in f"{folder}/{name}".replace("\\", "/").split("/") if step not in ("", ".")]
    return AttachedFile("/".join(steps), _extension(kind) or kind_of(name))


def kind_of(name: str) -> str:
    """Return what the name of a file ends with, in capitals; empty where that is no extension, but may be a name."""
    _, point, extension = name.rpartition(".")
    return _extension(extension) if point else ""


def _extension(text: str) -> str:
    text = text.upper()
    return text if _EXTENSION.fullmatch(text) else ""


def attached_files(message: Message, path: Path = FILES_OF_HPRIM) -> list[AttachedFile]:
    """
    Return the files that a message names, each once.

    Args:
        message: Of any format.
        path: Where the names stand, as `file_of` reads them.
    """
    respelling = to_standard(message.delimiters)
    files = [file_of(respelling.field(value)) for value in path.read_bytes(message) if value != NULL]
    return [file for file in dict.fromkeys(files) if file.path]


def one_each(results: list[Result], kind: bytes) -> list[Result]:
    """
    Return results of which none has more than one document.

    Args:
        results: As they came.
        kind: OBX-2 of documents. Such an OBX with several repetitions becomes several, in their order; what was said
            of it stays with the first.
    """
    found: list[Result] = []
    for result in results:
        value = get(result.obx, 5)
        values = [one for one in value.split(REPETITION) if given(one)] if get(result.obx, 2) == kind else []
        if len(values) < 2:
            found.append(result)
            continue
        notes = result.notes
        for one in values:
            found.append(Result([*result.obx[:5], one, *result.obx[6:]], notes))
            notes = []
    return found


def document(value: bytes, attachments: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """
    Return OBX-2 and OBX-5 for a file.

    Args:
        value: OBX-5 of FIC, in HL7's delimiters.
        attachments: Contents by path.

    Raises:
        AttachmentMissing: It isn't among them.
    """
    file = file_of(value)
    data = attachments.get(file.path)
    if data is None:
        raise AttachmentMissing(file)
    type_, subtype = _media(file.kind)
    encoded = binascii.b2a_base64(data, newline=False)
    return b"ED", b"^".join([b"", type_, subtype, b"Base64", encoded])


def read_document(value: bytes) -> Document | None:
    """
    Read OBX-5 of ED.

    Args:
        value: In HL7's delimiters.

    Returns:
        None when there is no data, or it can't be decoded: an encoding that isn't Base64, A or Hex, or damage.
    """
    fields = parts(value.partition(b"~")[0], 5)
    subtype, encoding, data = fields[2].lower(), fields[3].upper(), fields[4]
    kind = _KINDS.get(subtype) or (_extension(subtype.decode("ascii", "replace")) or _NO_KIND if subtype else "TXT")
    if not given(data):
        return None
    try:
        if encoding in (b"BASE64", b""):
            text = b"".join(unescape(data, STANDARD).split())  # some cut it into lines
            return Document(binascii.a2b_base64(text, strict_mode=True), kind)
        if encoding == b"HEX":
            return Document(binascii.a2b_hex(data), kind)
    except ValueError:
        return None
    return Document(unescape(data, STANDARD), kind) if encoding == b"A" else None


def _media(kind: str) -> tuple[bytes, bytes]:
    if not kind:
        return _UNKNOWN
    known = _MEDIA.get(kind)
    return known if known is not None else (b"application", leaf(kind.lower()))
