"""
From received bytes to what a message is made of: delimiters, charset, base, lines, layout.

Nearly all systems send nothing but segments, each with its name and one kind of line end: those are cut once. What
else there may be (a byte order mark, blank lines, lines without a name, control characters) takes the longer way.
"""

from __future__ import annotations

from typing import Final

from engine.parsers.charset import base_flag, base_of, decide, make_base, recoded
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters, read_delimiters
from engine.parsers.hl7v2.header import declared_charset, header_line
from engine.parsers.hl7v2.layout import Layout, layout_of
from engine.parsers.hl7v2.lines import LARGE_BYTES, Line, cut, cut_at_any_end, has_controls, lines_of, split
from engine.parsers.hl7v2.switching import depends_on_charset

_CHARSET: Final = 17
"""Index of MSH-18 among the parts of the line."""


Prepared = tuple[bytes, int, Delimiters, str, list[str], list[Line], Layout, bool, list[bytes] | None]
"""
What a message is made of, as a plain tuple because each message pays for it: the base; how it was made (the flag of
charset.base_of); its delimiters; the codec in which it was received; findings about the charset and control
characters; the lines of the base; their layout; whether the base is its lines with one CR after each; the fields of
the first line as parsers.hl7v2.segments counts them, where they were cut anyway.
"""


def prepare(raw: bytes, default_charset: str, *, as_utf8: bool) -> Prepared:
    """
    Make a message's parts ready.

    Args:
        raw: The bytes as received.
        default_charset: The source's codec, for when MSH-18 is silent or wrong.
        as_utf8: Make the base UTF-8 with one CR after each segment; else it is `raw` itself.

    Raises:
        ParseError: No MSH, or no delimiters (as header.read_header).
    """
    lines = cut(raw)
    plain = lines is not None
    if not plain:
        lines = cut_at_any_end(raw)
    begins = raw.startswith(b"MSH")
    line = bytes(lines[0]) if lines and begins else header_line(raw)
    delimiters = read_delimiters(line)
    mark = delimiters.field
    header = line.split(mark)
    declared = declared_charset(header[_CHARSET], delimiters) if len(header) > _CHARSET else ""
    received, finding = decide(raw, declared, default_charset)
    findings = [finding] if finding else []
    layout = layout_of(lines, mark) if lines else None
    escapes = as_utf8 and depends_on_charset(raw, delimiters.escape, received, len(line))
    if lines is None or layout is None or not layout.regular or escapes:
        return _prepare_irregular(raw, delimiters, received, findings, as_utf8=as_utf8, escapes=escapes)
    base, flag = raw, 0
    if as_utf8:
        if not plain:
            base = b"\r".join(lines) + b"\r"  # type: ignore[arg-type]  # what is large is plain, or irregular
            flag = base_flag("utf-8", ends=True)
        if received != "utf-8" and not raw.isascii():
            flag = base_flag(received, ends=not plain)
            base = recoded(base, received) if len(base) <= LARGE_BYTES else base_of(raw, flag)
            lines = split(base)
            if delimiters is not STANDARD:
                delimiters = read_delimiters(header_line(base))
    header.insert(1, mark)
    known = header if begins and line.isascii() and isinstance(lines[0], bytes) else None
    return base, flag, delimiters, received, findings, lines, layout, plain or as_utf8, known


def _prepare_irregular(
    raw: bytes, delimiters: Delimiters, received: str, findings: list[str], *, as_utf8: bool, escapes: bool
) -> Prepared:
    base, flag = raw, 0
    if as_utf8:
        base, flag = make_base(raw, received, escapes=escapes)
        if base is not raw and delimiters is not STANDARD:
            delimiters = read_delimiters(header_line(base))
    lines = split(base) if as_utf8 else lines_of(base)
    if has_controls(base):
        findings.append("control-character")
    layout = layout_of(lines, delimiters.field)
    return base, flag, delimiters, received, findings, lines, layout, as_utf8, None
