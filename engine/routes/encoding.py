"""A message as its destination wants it: charset, MSH-10, MSH-18, and how little of it must be stored."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from engine.core import bundle, splices
from engine.core.messages import Delivery, PayloadKind, StoredMessage
from engine.errors import StepFailed
from engine.identity.gates import Withheld
from engine.parsers import open_message
from engine.parsers.hl7v2.header import show_control_id
from engine.parsers.hl7v2.message import DETACHED
from engine.parsers.hl7v2.switching import depends_on_charset, resolve
from engine.transforms.step import Dropped

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message
    from engine.routes.configuration import Destination
    from engine.transforms.step import Context

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")
_NO_TOPIC: Final = re.compile(r"[+#\x00]")
_NAME_MAX: Final = 80
LEFT: Final = "attachments-left"
"""The finding of a message whose files its destination has no room for."""
UNENCODABLE: Final = "unencodable"
"""The finding of `unencodable: replace`: a character left as `?`."""
_NUMBER_MIN: Final = 8
"""Shortest number that is looked for in what a route rendered."""


def clean_name(value: str) -> str:
    """Make a value fit for a file name and a level of an MQTT topic: no path, no wildcard, no blank."""
    cleaned = _UNSAFE.sub("_", value)[:_NAME_MAX]
    return "_" * len(cleaned) if cleaned.strip(".") == "" else cleaned


def encode(
    delivery: Delivery,
    destination: Destination,
    context: Context,
    stored: StoredMessage,
    *,
    own_id: str,
    touched: bool,
    findings: list[str],
) -> None:
    """
    Fill `payload_kind`, `payload`, `rendered`, `control_id` and `target` of a delivery.

    The destination's gate (identity.gates) is asked here, last: whatever the route did.

    Args:
        delivery: With its id.
        destination: Where it goes.
        context: With the message as the steps left it; its MSH-10 and MSH-18 are set here.
        stored: The message as received.
        own_id: Under which it leaves (core.own_ids): MSH-10 where that is `own`, `{id}` in the name of a file.
        touched: Whether a step may have changed the message.
        findings: Takes those of the gate, and `unencodable`.

    Raises:
        StepFailed: E-ENCODE, when the destination's charset can't hold a character; E-TARGET, when no topic
            or file name can be made of the message; E-INS-TEST, E-INS-ONLY, E-INS-BODY by the gate.
        Dropped: What the gate leaves says nothing to this destination.
    """
    context.id = own_id
    if destination.type != "mllp":
        delivery.target = target_of(destination, context)
    try:
        if context.body is not None or destination.type == "mqtt":
            _bodily(delivery, destination, context, stored)
        elif destination.encode.as_received:
            _as_received(delivery, destination, context, stored, touched=touched, findings=findings)
        else:
            _encoded(delivery, destination, context, findings)
    except Withheld as withheld:
        raise Dropped(withheld.reason) from None
    if context.attachments and context.body is None and destination.type != "mqtt":
        _with_files(delivery, destination, context, findings)


def _with_files(delivery: Delivery, destination: Destination, context: Context, findings: list[str]) -> None:
    """Put the files that the message names into the delivery; only a folder has room for them."""
    files = [(one.name, one.data) for one in context.attachments if one.data is not None]
    if destination.type != "directory":
        findings.append(LEFT)
    elif files:
        assert delivery.rendered is not None, "it was encoded"
        packed = bundle.pack(delivery.rendered, files)
        delivery.payload_kind, delivery.payload, delivery.rendered = PayloadKind.BUNDLE, packed, packed


def target_of(destination: Destination, context: Context) -> str:
    """
    Return the MQTT topic or the file name of a delivery; `context.id` is set.

    Raises:
        StepFailed: E-TARGET, when there is no such file or topic: an empty name or level, a wildcard.
    """
    if destination.target is None:
        return "" if destination.type == "mllp" else f"{context.id}.hl7"
    target = destination.target.render_safe(context, clean_name)
    if destination.type == "mqtt":
        # MQTT 3.1.1 § 4.7: a topic has one character at least, and no wildcard when one publishes to it.
        if not target or _NO_TOPIC.search(target):
            raise StepFailed("E-TARGET", "no topic can be made of this message: it is empty, or holds a wildcard")
    elif not target or target[0] == "." or "/" in target or "\0" in target:
        raise StepFailed("E-TARGET", "no file name can be made of this message: it is empty, or begins with a dot")
    return target


def _bodily(delivery: Delivery, destination: Destination, context: Context, stored: StoredMessage) -> None:
    """Send what a step rendered, or ids and codes only; no number that the gate keeps back stands in it."""
    body, gate = context.body, destination.gate
    if body is not None or gate.production:
        received = _received(context, stored, as_utf8=True)
        numbers = gate.kept_back(received, stored.raw, context.source) if gate.concerns(received, stored.raw) else ()
        if body is not None and any(len(one) >= _NUMBER_MIN and body.find(one) >= 0 for one in numbers):
            raise StepFailed(
                "E-INS-BODY",
                f"what the route rendered holds an INS or insurance number that may not go to {destination.name}; "
                "take it out of the template, or write what it may have (may_have:)",
            )
    _full(delivery, _default_body(context) if body is None else body)


def _received(context: Context, stored: StoredMessage, *, as_utf8: bool) -> Message:
    """Read the received bytes again: a message of its own, as no step saw it."""
    charset = context.message.received_codec
    return open_message(stored.raw, stored.format, default_charset=charset, as_utf8=as_utf8)


def _as_received(
    delivery: Delivery,
    destination: Destination,
    context: Context,
    stored: StoredMessage,
    *,
    touched: bool,
    findings: list[str],
) -> None:
    message = context.message
    delivery.control_id = _control_id(message, stored.control_id)
    data = message.to_bytes() if touched else stored.raw
    if destination.gate.concerns(message, data):
        message = message.copy() if touched else _received(context, stored, as_utf8=False)
        touched = destination.gate.let_out(message, data, context.source, findings) or touched
    if not touched:
        delivery.payload_kind, delivery.payload, delivery.rendered = PayloadKind.RAW, None, stored.raw
        return
    data, edits = message.render()
    delivery.control_id = _control_id(message, stored.control_id)
    if data == stored.raw:
        delivery.payload_kind, delivery.payload, delivery.rendered = PayloadKind.RAW, None, stored.raw
    else:
        _smallest(delivery, data, edits, message.base_flag)


def _encoded(delivery: Delivery, destination: Destination, context: Context, findings: list[str]) -> None:
    wanted, message, gate = destination.encode, context.message, destination.gate
    if message.format == "hl7v2":
        header = message.own_head(b"MSH")
        if header is not None:
            if wanted.control_id == "own":
                header.set_field(10, context.id.encode())
            msh18 = wanted.msh18.encode()
            if header.field(18) != msh18:
                header.set_field(18, msh18)
            delivery.control_id = show_control_id(header.field(10))
    elif message.base_flag == DETACHED and message.format == "hprim-sante" and wanted.control_id == "own":
        header = message.own_head(b"H")
        if header is not None and delivery.target:
            header.set_field(2, delivery.target.encode())  # H-2 is the name of the file
    data, edits = message.render()
    if gate.concerns(message, data) and gate.let_out(message, data, context.source, findings):
        data, edits = message.render()
    plain = data if wanted.charset == "utf-8" else _in_characters(data, message)
    if plain is data and (wanted.charset == "utf-8" or data.isascii()):
        _smallest(delivery, data, edits, message.base_flag)
        return
    text = plain.decode("utf-8")
    try:
        data = text.encode(wanted.charset)
    except UnicodeEncodeError as error:
        if wanted.unencodable != "replace":
            raise StepFailed(
                "E-ENCODE", f"{wanted.msh18} can't hold a character of the message", field=_where(text, error.start)
            ) from None
        data = text.encode(wanted.charset, "replace")
        findings.append(UNENCODABLE)
    _full(delivery, data)


def _in_characters(data: bytes, message: Message) -> bytes:
    r"""Return a message without sequences that mean other characters in another charset (\\XC3A9\\ for é in UTF-8)."""
    if message.format != "hl7v2" or not depends_on_charset(data, message.delimiters.escape, start=8):
        return data
    resolved = resolve(data, "utf-8")
    return data if resolved == data else resolved  # the very bytes tell that nothing was done


def _smallest(delivery: Delivery, data: bytes, edits: list[splices.Splice], base_flag: int) -> None:
    packed = splices.pack(edits, base_flag) if base_flag != DETACHED else data
    if len(packed) < len(data):
        delivery.payload_kind, delivery.payload, delivery.rendered = PayloadKind.SPLICES, packed, data
    else:
        _full(delivery, data)


def _full(delivery: Delivery, data: bytes) -> None:
    delivery.payload_kind, delivery.payload, delivery.rendered = PayloadKind.FULL, data, data


def _control_id(message: Message, otherwise: str) -> str:
    """Return MSH-10 as it leaves, shown as MSA-2 of the answer is (parsers.hl7v2.ack): without blanks around."""
    if message.format != "hl7v2":
        return otherwise
    header = message.head(b"MSH")
    return otherwise if header is None else show_control_id(header.field(10))


def _where(text: str, offset: int) -> str:
    """Name segment and field of a character, without its value."""
    start = text.rfind("\r", 0, offset) + 1
    name = text[start : start + 3]
    if not (name.isascii() and name.isalnum()):
        return ""
    number = text.count("|", start, offset) + (1 if name == "MSH" else 0)
    return f"{name}-{number}"


def _default_body(context: Context) -> bytes:
    """Ids and codes only, no trait: what a bus may know of a message without a `render` step."""
    values: dict[str, str | int] = {
        "v": 1,
        "message": context.place,
        "site": context.site,
        "source": context.source,
        "type": context.type,
        "event": context.event,
        "control_id": context.control_id,
        "received_ms": context.received_ms,
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
