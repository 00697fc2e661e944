"""Tests as build servers read them: JUnit's XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_UNPRINTABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold (§ 2.2)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One test that was run."""

    suite: str
    """The file in which it stands."""
    group: str
    """Its route, or the file again."""
    name: str
    seconds: float
    failure: str = ""
    """The first expectation that isn't met; empty: it passed."""
    told: str = ""
    """All that the report tells of the failure."""


def junit(lines: Sequence[Line]) -> bytes:
    """Return the document, a suite for each file."""
    root = ET.Element("testsuites", _counted(lines))
    for suite in dict.fromkeys(line.suite for line in lines):
        own = [line for line in lines if line.suite == suite]
        element = ET.SubElement(root, "testsuite", {"name": suite} | _counted(own))
        for line in own:
            attributes = {"classname": line.group, "name": _clean(line.name), "time": f"{line.seconds:.3f}"}
            case = ET.SubElement(element, "testcase", attributes)
            if line.failure:
                failure = ET.SubElement(case, "failure", {"message": _clean(line.failure)})
                failure.text = _clean(line.told)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _counted(lines: Sequence[Line]) -> dict[str, str]:
    return {
        "tests": str(len(lines)),
        "failures": str(sum(bool(line.failure) for line in lines)),
        "time": f"{sum(line.seconds for line in lines):.3f}",
    }


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
