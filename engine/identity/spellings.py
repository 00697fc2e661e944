"""
How senders spell authorities, learnt once: what follows the value of an identifier says who gave it.

In `1234^^^GAM&1.2.250.1.999.10.1&ISO^PI` all but `1234` is the same in every message of a system. So a message
costs one look-up an identifier, whatever asks: the steps, the search keys, the lanes. Spellings are kept; of
values, those of the field read last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from engine.identity.authorities import Authority, Recogniser
    from engine.parsers.hl7v2.delimiters import Delimiters

INS_ARC: Final = "1.2.250.1.213.1.4."
"""OIDs of the INS, in production and in test, today's and the obsolete one."""

TYPES_ALIKE: Final = {"RI": "PI"}
"""CX-5 that some senders write for another (table 0203)."""

NULL: Final = b'""'
KEPT: Final = 4096
"""Spellings kept by one recogniser for one kind of field: real systems have some tens."""
_LONGEST: Final = 256
"""Bytes above which a spelling isn't kept."""
_LOCAL_TYPES: Final = frozenset({b"PI", b"PN", b"RI"})
_INS: Final = INS_ARC.encode()


class Spelling(NamedTuple):
    """What the end of an identifier says, from the separator after CX-1 on."""

    authority: Authority | None
    """Who gave it; None: unknown, a third party, an archive number, the INS…"""
    tail: bytes
    """The same end with CX-4 and CX-5 in their declared form; as received where the authority isn't known."""
    reference: str
    """Under which authority the value stands for a patient; empty: it doesn't."""
    stranger: str
    """The same, for a value that counts only when its field has nothing better; else empty."""
    received: bytes
    """The end as it came."""


Identifier = tuple[bytes, Spelling]
"""CX-1 as it stands, and what follows it."""


class Spellings:
    """The spellings of one kind of field, in the messages of one site, with given delimiters."""

    __slots__ = ("_delimiters", "_expected", "_first", "_last", "_later", "_recogniser", "component", "repetition")

    def __init__(self, recogniser: Recogniser, delimiters: Delimiters, expected: str) -> None:
        self._recogniser = recogniser
        self._delimiters = delimiters
        self._expected = expected
        self.component = delimiters.component
        self.repetition = delimiters.repetition
        self._first: dict[bytes, Spelling] = {}
        self._later: dict[bytes, Spelling] = {}
        self._last: tuple[bytes, list[Identifier]] = (b"", [])
        """The field read last: the lanes ask for it after the steps did."""

    def identifiers(self, field: bytes) -> list[Identifier]:
        """
        Read a field of type CX.

        Args:
            field: All its repetitions.

        Returns:
            Of each repetition CX-1 as it stands, and what follows it; not to be changed.
        """
        last, found = self._last
        if last != field:
            read = self.read
            if self.repetition:
                found = [read(repetition, rank) for rank, repetition in enumerate(field.split(self.repetition))]
            else:
                found = [read(field, 0)]
            self._last = (field, found)
        return found

    def read(self, repetition: bytes, rank: int) -> Identifier:
        """
        Read one repetition of a field of type CX.

        Args:
            repetition: Its bytes.
            rank: From 0: only the first one may lack CX-4 (`untyped:`).

        Returns:
            CX-1 as it stands, and what follows it.
        """
        if self.component:
            value, mark, rest = repetition.partition(self.component)
            tail = mark + rest
        else:
            value, tail = repetition, b""
        known = (self._later if rank else self._first).get(tail)
        return value, known if known is not None else self._learn(tail, rank)

    def _learn(self, tail: bytes, rank: int) -> Spelling:
        components = tail.split(self.component, 5) if self.component else [b""]  # what follows CX-5 stays one piece
        normal = self._recogniser.normal(components, self._delimiters, rank, self._expected)
        if normal is not None:
            if len(components) < 5:
                components += [b""] * (5 - len(components))
            components[3], components[4] = normal.assigner, normal.type
            spelling = Spelling(normal.authority, self.component.join(components), normal.reference, "", tail)
        else:
            spelling = self._unknown(tail, components)
        kept = self._later if rank else self._first
        if len(tail) <= _LONGEST:
            if len(kept) >= KEPT:
                kept.clear()
            kept[tail] = spelling
        return spelling

    def _unknown(self, tail: bytes, components: list[bytes]) -> Spelling:
        """
        Say for what an identifier of an unknown authority counts.

        Without type, it is the sender's where CX-4 is empty; where it isn't, it may be a third party's.
        """
        assigner = components[3].strip() if len(components) > 3 else b""
        type_ = components[4].strip() if len(components) > 4 else b""
        if (type_ and type_ not in _LOCAL_TYPES) or _INS in assigner:
            return Spelling(None, tail, "", "", tail)
        reference = self._strange(assigner, type_ or b"PI")
        if type_ or not assigner:
            return Spelling(None, tail, reference, "", tail)
        return Spelling(None, tail, "", reference, tail)

    def _strange(self, assigner: bytes, type_: bytes) -> str:
        """
        Name an authority that isn't recognised, for order only.

        Without CX-4, or with no more than the name (HD-1) of the site's own authority, it counts as that one: a
        name is never enough to say who a patient is, but two messages that may be about one patient must not
        overtake each other, and to wait once too often hurts nobody.
        """
        kind = text_of(type_)
        kind = TYPES_ALIKE.get(kind, kind)
        own = self._recogniser.own_patients.get(kind)
        if own is not None:
            mark = self._delimiters.subcomponent
            name = assigner.split(mark, 1)[0] if mark else assigner
            if not assigner or text_of(name).strip().upper() == own.hd1.upper():
                return own.key
        return f"{text_of(assigner) or f'site:{self._recogniser.site}'}|{kind}"


def text_of(data: bytes) -> str:
    """Return an identifier's bytes as text, whatever they are."""
    return data.decode("utf-8", "surrogateescape")
