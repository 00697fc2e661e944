"""A profile in the bytes of a file, whatever it is written in."""

from __future__ import annotations

from engine.errors import ProfileRefused
from engine.validation.conformance import read_conformance_profile
from engine.validation.profile import Profile
from engine.validation.reading import read_profile
from engine.validation.shipped import shipped


def open_profile(name: str, data: bytes, *, file: str = "") -> Profile:
    """
    Read a site's profile.

    Args:
        name: Its name.
        data: YAML on top of another profile, or an HL7 v2 conformance profile in XML.
        file: Its name for what is wrong with it.

    Raises:
        ProfileRefused: With every fault, its line, and what to write.
    """
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_conformance_profile(name, data, file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProfileRefused(
            file or name, [f"{file or name}:{line}: the profile isn't UTF-8: save it as UTF-8"]
        ) from None
    return read_profile(name, text, shipped, file=file)
