"""The profiles that come along, by name."""

from __future__ import annotations

import pathlib
import re
from functools import cache
from typing import Final

from engine.dictionary.dictionary import PAM_FR, extension_of
from engine.dictionary.versions import VERSIONS
from engine.parsers.hl7v2.message import Message
from engine.validation.profile import Profile
from engine.validation.reading import read_profile

FOLDER: Final = pathlib.Path(__file__).with_name("profiles")
ANY: Final = "hl7-2.x"
"""HL7 in the version that each message says."""
_HL7: Final = re.compile(r"hl7-(2(?:\.\d){1,2})")


@cache
def shipped(name: str) -> Profile | None:
    """
    Return a profile that comes along.

    Args:
        name: `hl7-2.x`, `hl7-2.5` or another version, `pam-fr-2.11`.
    """
    if name == ANY:
        return Profile(name=ANY, label="HL7 v2, as MSH-12 says")
    found = _HL7.fullmatch(name)
    if found is not None and found[1] in VERSIONS:
        return Profile(name=name, label=f"HL7 v{found[1]}", version=found[1])
    path = FOLDER / f"{name}.yaml"
    if not re.fullmatch(r"[a-z0-9.-]+", name) or not path.is_file():
        return None
    return read_profile(name, path.read_text(encoding="utf-8"), shipped, file=path.name)


def fitting(message: Message) -> Profile:
    """Return the profile for a message when nobody names one: PAM France for French ADT, else HL7 by MSH-12."""
    header = message.header
    version, country = (header.field(number).decode("latin-1") for number in (12, 17))
    french = header.type.startswith("ADT") and extension_of(version, country, message.names)
    profile = shipped(PAM_FR if french else ANY)
    assert profile is not None, "these come along"
    return profile


def shipped_names() -> tuple[str, ...]:
    """Name the profiles that come along."""
    return (ANY, *(f"hl7-{version}" for version in VERSIONS), *sorted(path.stem for path in FOLDER.glob("*.yaml")))
