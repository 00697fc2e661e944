"""
What left, as a line of a transcript: identifiers in the order of the fields, everything else as it came or told.

Written apart from the engine: plain splitting at the delimiters of MSH.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.scenarios.language import Receipt, message_name
from tests.scenarios.parts import GROUP_OID, NAMES, NIA, NIR, OIDS, TEST, TYPES, Person

_LOCAL: Final = {
    f"{NAMES[site][kind]}&{OIDS[site][kind]}&ISO^{TYPES[kind]}": (site, kind) for site in OIDS for kind in TYPES
}
_GROUP: Final = f"GHT-IPP&{GROUP_OID}&ISO^PN"
_CARRIERS_OF_CONTENT: Final = ("ORC", "OBR", "OBX", "NTE", "ZFD", "EVN")
_IDENTIFIERS_OF_PID: Final = (3, 18, 19, 21)
_SENTENCES: Final = (
    ("", "PID", 3, "IPP"), ("NDA ", "PID", 18, "NDA"), ("visit ", "PV1", 19, "visit"),
    ("alternate visit ", "PV1", 50, "visit"), ("movement ", "ZBE", 1, "NDA"),
    ("mother ", "PID", 21, "IPP"), ("social security ", "PID", 19, "IPP"), ("insurance ", "IN1", 49, "IPP"),
    ("guarantor ", "GT1", 12, "IPP"), ("was NDA ", "MRG", 3, "NDA"), ("was visit ", "MRG", 5, "visit"),
    ("was alternate visit ", "MRG", 6, "visit"), ("was ", "MRG", 1, "IPP"),
)  # fmt: skip


@dataclass
class Incoming:
    """A message that was sent to the engine."""

    control_id: str
    event: str
    label: str | None
    source: str
    raw: bytes


def segments(message: bytes) -> dict[str, list[list[str]]]:
    """Return the fields of each segment by its name; MSH-1 is left out, so that numbers are those of HL7."""
    found: dict[str, list[list[str]]] = {}
    for line in message.decode("utf-8").replace("\n", "\r").split("\r"):
        if line:
            fields = line.split("|")
            found.setdefault(fields[0], []).append(["MSH", "|", *fields[1:]] if fields[0] == "MSH" else fields)
    return found


def field_of(found: Mapping[str, list[list[str]]], segment: str, number: int) -> str:
    """Return a field of the first such segment, or nothing."""
    fields = next(iter(found.get(segment, [])), [])
    return fields[number] if len(fields) > number else ""


class Reading:
    """Names what is seen in one transcript: messages by event and label, federation identifiers G1, G2…"""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._sent: dict[str, Incoming] = {}
        self._national = {one.ins: f"INS of {name}" for name, one in people.items() if one.ins}
        self._national |= {one.nia: f"NIA of {name}" for name, one in people.items() if one.nia}
        self._people = people
        self._ids = 0
        self.numbers_seen: set[str] = set()
        self.stays: set[tuple[str, str]] = set()
        """(site, number) of the stays that messages named."""

    def next_id(self) -> str:
        """Return a control id of this transcript."""
        self._ids += 1
        return f"S{self._ids:04}"

    def sent(self, message: Incoming) -> None:
        """Remember a message."""
        self._sent[message.control_id] = message

    def labelled(self, label: str) -> Incoming:
        """Return the message with that label."""
        return next(one for one in self._sent.values() if one.label == label)

    def name_of(self, control_id: str, event: str = "") -> str:
        """Return how the transcript calls a message; one that the engine made of it is `derived` (or a part of it)."""
        one = self._sent.get(control_id[:5])
        if one is None:
            return f"{event} of unknown origin ({control_id})"
        derived = control_id != one.control_id and one.source != "ville"
        return message_name(event or one.event, one.label, derived=derived)

    # --- federation identifiers

    def number(self, alias: str, numbers: list[str]) -> str:
        """Return the federation identifier that a transcript calls G1, or says itself (`ght 8001`)."""
        if alias.startswith("ght "):
            return alias.removeprefix("ght ")
        index = int(alias[1:])
        assert 0 < index <= len(numbers), f"nobody is {alias} yet"
        return numbers[index - 1]

    def alias(self, number: str) -> str:
        """Return how the transcript calls a federation identifier, provisionally: ranks are known in the end."""
        self.numbers_seen.add(number)
        return f"{{{number}}}"

    def finally_named(self, text: str, own: bool) -> str:
        """Put G1, G2… for the federation identifiers of a text, in the order in which they were given."""
        for rank, number in enumerate(sorted(self.numbers_seen), 1):
            text = text.replace(f"{{{number}}}", f"G{rank}" if own else f"ght {number}")
        return text

    # --- identifiers

    def parse_identifier(self, words: str, numbers: list[str]) -> tuple[str, str, str]:
        """Return kind (local, group, ins), authority (site or OID) and value of what a transcript names."""
        first, _, value = words.rpartition(" ")
        if first in OIDS:
            return "local", first, value
        if words.startswith("G"):
            return "group", GROUP_OID, self.number(words, numbers)
        if first == "ght":
            return "group", GROUP_OID, value
        person = self._people.get(value)
        kind = first.split()[0]
        if person is not None:
            value = person.nia if kind == "NIA" else person.ins
        return "ins", NIA if kind == "NIA" else NIR, value

    def show(self, cx: str, kind: str) -> str:
        """Return a CX as a transcript writes it; `raw …` when it isn't what routes.yaml calls complete."""
        value, _, authority = cx.partition("^^^")
        if authority == _GROUP:
            return self.alias(value)
        if authority in _LOCAL:
            site, found = _LOCAL[authority]
            if found == kind:
                return f"{site} {value}"
        oid = authority.partition("&")[2].partition("&")[0]
        if oid in (NIR, NIA, TEST) and authority.endswith("&ISO^INS"):
            return self.show_national(oid, value)
        return f"raw {cx}"

    def show_national(self, oid: str, value: str) -> str:
        """Return an INS as a transcript writes it."""
        if oid == TEST:
            return f"test INS {value}"
        word = "NIA" if oid == NIA else "INS"
        if value == '""':
            return f"{word} deleted"
        name = self._national.get(value, "")
        return name if name.startswith(word) else f"{word} {value}"

    def _movement(self, data: str) -> str:
        """Return an EI: `9^CPAGE^OID^ISO`."""
        value, name, universal, kind = (*data.split("^"), "", "", "")[:4]
        for site, oids in OIDS.items():
            if (name, universal, kind) == (NAMES[site]["NDA"], oids["NDA"], "ISO"):
                return f"{site} {value}"
        return f"raw {data}"

    def receipt(self, destination: str, message: bytes) -> Receipt:
        """Return what a destination received, as a transcript says it."""
        found = segments(message)
        event = field_of(found, "MSH", 9).split("^")[1]
        parts = []
        for start, segment, number, kind in _SENTENCES:
            data = field_of(found, segment, number)
            if not data:
                continue
            shown = [self._movement(one) if segment == "ZBE" else self.show(one, kind) for one in data.split("~")]
            parts.append(start + ", ".join(shown))
        if not field_of(found, "PID", 3):
            parts.insert(0, "no identifier")
        control_id = field_of(found, "MSH", 10)
        name = self.name_of(control_id, event)
        altered = self._altered(control_id, found)
        return Receipt(destination, name, "; ".join(parts) + (f"; ALTERED {altered}" if altered else ""))

    def _altered(self, control_id: str, found: Mapping[str, list[list[str]]]) -> str:
        """Name the first thing that must leave as it came and didn't: traits, order numbers, contents."""
        one = self._sent.get(control_id)
        if one is None or one.source == "ville":
            return ""
        before = segments(one.raw)
        for name in _CARRIERS_OF_CONTENT:
            if before.get(name) != found.get(name):
                return name
        pid, after = before["PID"][0], found["PID"][0]
        for number in range(5, max(len(pid), len(after))):
            if number not in _IDENTIFIERS_OF_PID and pid[number : number + 1] != after[number : number + 1]:
                return f"PID-{number}"
        return ""
