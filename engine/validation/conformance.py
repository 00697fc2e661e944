"""
Read an HL7 v2 conformance profile in XML (HL7 v2.5 § 2.12): `HL7v2xConformanceProfile` with one static definition.

What a segment must look like is said at each of its places, so that the PID of one group may differ from that of
another. Usage, cardinality, length, table, data type, name and constant value are taken over; predicates of
conditional elements are prose, and stay a person's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from engine.dictionary.dictionary import VARIES, dictionary_of
from engine.dictionary.versions import VERSIONS, version_of
from engine.validation.documents import Faults
from engine.validation.findings import ERROR
from engine.validation.profile import Override, Position, Profile

_USAGES: Final = {"R": "R", "RE": "RE", "C": "C", "CE": "C", "O": "O", "X": "X", "B": "B", "W": "W"}
_SEVERITIES: Final = {"required-component": ERROR, "unexpected-segment": ERROR, "extra-component": ERROR}
"""A conformance profile is an agreement between two systems: what it says is meant."""


@dataclass(slots=True)
class _Element:
    """One element of the document."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.attributes.get(name, "").strip()

    def of(self, *names: str) -> Iterator[_Element]:
        return (child for child in self.children if child.name in names)


def read_conformance_profile(name: str, data: bytes, *, file: str = "") -> Profile:
    """
    Read a conformance profile.

    Args:
        name: Its name here.
        data: XML.
        file: Its name for what is wrong with it.

    Raises:
        ProfileRefused: It is no such profile; every fault with its line.
    """
    faults = Faults(file or name)
    top = _parse(data, faults)
    faults.refuse()
    profile = _Reader(faults).profile(name, top)
    faults.refuse()
    return profile


def _parse(data: bytes, faults: Faults) -> _Element:
    """Read XML without entities: a profile has none, and they are how XML is made to explode."""
    root = _Element("", 1, {})
    stack = [root]
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        one = _Element(name.rpartition("}")[2], parser.CurrentLineNumber, attributes)
        stack[-1].children.append(one)
        stack.append(one)

    def end(_: str) -> None:
        stack.pop()

    def refuse(*_: object) -> None:
        faults.add(parser.CurrentLineNumber, "a document type has no place in a profile: take it out")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        faults.add(error.lineno, f"no XML: {expat.ErrorString(error.code)}")
    return root.children[0] if root.children else root


class _Reader:
    """One document being read."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._within: dict[str, dict[Position, Override]] = {}
        self._version = ""

    def profile(self, name: str, top: _Element) -> Profile:
        static = next(top.of("HL7v2xStaticDef"), None)
        if top.name != "HL7v2xConformanceProfile" or static is None:
            self._faults.add(top.line, "no HL7v2xConformanceProfile with an HL7v2xStaticDef")
            return Profile(name=name)
        said = top.get("HL7Version")
        meant = version_of(said)
        if not meant.exact:
            self._faults.add(top.line, f"HL7Version is none that is known: write one of {', '.join(VERSIONS)}")
        self._version = meant.version
        type_, event = static.get("MsgType"), static.get("EventType")
        structure = static.get("MsgStructID") or f"{type_}_{event}"
        if not type_:
            self._faults.add(static.line, "MsgType is missing: it says for which messages this is")
        content = self._items(static, "")
        return Profile(
            name=name,
            label=static.get("Name") or static.get("Identifier"),
            version=self._version,
            severities=_SEVERITIES,
            structures={structure: content},
            within=self._within,
            event_of={(type_, event): structure},
        )

    def _items(self, parent: _Element, group: str) -> str:
        """Write the structure in abstract syntax, and keep what is said of the segments in it."""
        parts: list[str] = []
        for child in parent.of("Segment", "SegGroup"):
            name = child.get("Name")
            if not (name.isascii() and name.replace("_", "").isalnum() and name[:1].isalpha()):
                self._faults.add(child.line, f"{child.name} has no name")
                continue
            if child.get("Usage") == "X":
                continue
            text = name
            if child.name == "SegGroup":
                text = f"{name}({self._items(child, f'{group}.{name}' if group else name)})"
            else:
                self._segment(child, name, group)
            least, most = self._least(child), self._most(child)
            if 0 < most < least:
                self._faults.add(child.line, f"Min is {least} and Max {most}: more at least than at most")
                least = most
            if least > 1 or most > 1:
                text = f"{{{text}}}{max(least, 1)}..{most or '*'}"
            elif not most:
                text = f"{{{text}}}"
            parts.append(text if self._required(child) else f"[{text}]")
        if not parts:
            self._faults.add(parent.line, "there is no segment in it")
        return " ".join(parts)

    def _segment(self, segment: _Element, name: str, group: str) -> None:
        known = self._within.setdefault(group, {})
        for number, one in enumerate(segment.of("Field"), 1):
            known[name, number, 0, 0] = self._override(one, most=self._most(one))
            for component, two in enumerate(one.of("Component"), 1):
                known[name, number, component, 0] = self._override(two)
                for subcomponent, three in enumerate(two.of("SubComponent"), 1):
                    known[name, number, component, subcomponent] = self._override(three)

    def _override(self, element: _Element, most: int | None = None) -> Override:
        usage = _USAGES.get(element.get("Usage"))
        if usage is None:
            self._faults.add(element.line, f"Usage is none of {', '.join(_USAGES)}")
        length = element.get("Length")
        constant = element.get("ConstantValue")
        return Override(
            usage="R" if usage != "X" and most is not None and self._required(element) else usage,
            most=most,
            least=self._least(element) if most is not None else None,
            length=int(length[:6]) if length.isascii() and length.isdecimal() else None,
            type=self._type(element.get("Datatype")),
            table=element.get("Table").removeprefix("HL7") or None,
            codes={constant: ""} if constant else None,
            words=element.get("Name").lower() or None,
        )

    def _type(self, text: str) -> str | None:
        """Return the data type; profiles give their flavours of one a name of their own (`CX_01`)."""
        if text.lower() == VARIES:
            return VARIES
        plain = text.partition("_")[0]
        return plain if dictionary_of(self._version).type(text) is None and plain != text else text or None

    def _required(self, element: _Element) -> bool:
        return element.get("Usage") == "R" or element.get("Min") not in ("", "0")

    def _least(self, element: _Element) -> int:
        least = element.get("Min")
        if not least:
            return 0
        if not (least.isascii() and least.isdecimal()):
            self._faults.add(element.line, f"Min is {least}: write a number")
            return 0
        return int(least[:6])

    def _most(self, element: _Element) -> int:
        most = element.get("Max")
        if most in ("", "*"):
            return 0 if most == "*" else 1
        if not (most.isascii() and most.isdecimal()):
            self._faults.add(element.line, f"Max is {most}: write a number or *")
            return 1
        return int(most[:6])
