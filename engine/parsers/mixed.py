"""
UTF-8 in which some bytes are none: a text that was cut inside a character, or put together of two charsets.

One broken byte must not turn every name of a message into other signs. What is valid UTF-8 is read as that, each byte
between it as cp1252, which is what half of such messages hold. It is a codec for Python (`CODEC`), so that whoever
decodes or encodes a part of a message needs to know nothing: the parts between delimiters are read as the whole is.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CODEC: Final = "utf-8-cp1252"
"""Decodes anything; encodes as UTF-8."""


def is_mixed(raw: bytes, fallback: str) -> bool:
    """
    Tell whether bytes that aren't all UTF-8 are it nevertheless, but for some.

    Western text has no `Ã` or `Â` with a sign behind it, so one such pair tells; other pairs do come by chance in
    single-byte charsets (`É` with a no-break space), and count if nearly all bytes are a part of one.

    Args:
        raw: Some of it isn't valid UTF-8.
        fallback: The codec that it would have otherwise.
    """
    if raw.translate(_CONTINUING) is raw or _CHARACTER.search(raw) is None:
        return False
    rest, characters = _CHARACTER.subn(b"", raw)
    broken = len(rest.translate(None, _ASCII))
    if broken > _BROKEN_MAX:
        return False
    return characters > _NEARLY_ALL * broken or (fallback in _WESTERN and _TELLING.search(raw) is not None)


def is_broken(line: bytes) -> bool:
    """Tell whether a part of a message is no valid UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return False


def _decode(data: ReadableBuffer, _errors: str = "strict") -> tuple[str, int]:
    return codecs.utf_8_decode(data, CODEC, True)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    return codecs.utf_8_encode(text, errors)


def _as_western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError), "it is a handler of decoding alone"
    return "".join([_SIGNS[code] for code in error.object[error.start : error.end]]), error.end


def _found(name: str) -> codecs.CodecInfo | None:
    return codecs.CodecInfo(_encode, _decode, name=CODEC) if name == _NAME else None


_WESTERN: Final = frozenset({"cp1252", "latin-1", "iso8859-15", "utf-8"})
_TELLING: Final = re.compile(rb"[\xc2\xc3\xc5][\x80-\xbf]|\xe2[\x80\x82][\x80-\xbf]")
"""Accents, ligatures, quotation marks and the euro in UTF-8."""
_CHARACTER: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_CONTINUING: Final = bytes(63 if 0x80 <= code < 0xC0 else code for code in range(256))
"""Changes what no character beyond ASCII does without: where nothing changes, `translate` returns the very bytes."""
_NEARLY_ALL: Final = 10
_BROKEN_MAX: Final = 100_000
"""What has more is no text, and reading it byte by byte would hold everybody."""
_ASCII: Final = bytes(range(128))
_SIGNS: Final = tuple(bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(256))
_NAME: Final = CODEC.replace("-", "_")
"""As Python asks for it."""

codecs.register_error(CODEC, _as_western)
codecs.register(_found)
