"""Open an HPRIM Santé message for reading by position: H-6, P-2.1, OBX[*]-5."""

from __future__ import annotations

from engine.parsers.charset import decide
from engine.parsers.hl7v2.message import Message, make_base
from engine.parsers.hprim.header import read_hprim_header


def parse_hprim(raw: bytes, *, default_charset: str = "cp1252", as_utf8: bool = False) -> Message:
    """
    Read an HPRIM Santé message.

    Args:
        raw: The bytes as received.
        default_charset: The source's codec: HPRIM declares none.
        as_utf8: As Message.parse.

    Raises:
        ParseError: No H segment, or no delimiters in it.
    """
    header = read_hprim_header(raw)
    received, finding = decide(raw, default_charset, default_charset)
    findings = [finding] if finding else []
    base, flag, codec = raw, 0, received
    lines: list[bytes] | None = None
    if as_utf8:
        base, flag, lines = make_base(raw, received)
        codec = "utf-8"
        if base is not raw:
            header = read_hprim_header(base)
    message = Message(base, flag, header.delimiters, codec, received, findings, "hprim-sante", lines, header)
    message.look_over()
    if "odd-delimiters" in findings:
        findings.remove("odd-delimiters")  # odd for HL7, usual here
    return message
