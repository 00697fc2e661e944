"""
Recognise the assigning authority of an identifier (CX), and complete it.

An authority is (OID, CX-5), or (FINESS, CX-5) where there is no OID: HL7 v2.5 § 2.A.14, and for HD-3 `L`,
`M`, `N` the French constraints on data types. The name in HD-1 decides nothing unless a site declares it as
an alias: `CPAGE` is the same name in several hospitals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.identity.hd import read_hd
from engine.identity.spellings import TYPES_ALIKE, Spellings, text_of
from engine.parsers.hl7v2.delimiters import STANDARD

if TYPE_CHECKING:
    from engine.parsers.hl7v2.delimiters import Delimiters


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """
    An assigning authority: who gave an identifier (HL7 v2.5 § 2.A.14, CX-4 and CX-5).

    Identity of an authority is (oid, type), or (finess, type) without OID; never `hd1` alone.
    """

    name: str
    """Name in routes.yaml: `ipp`, `nda`, `visit`."""
    site: str
    """Name of the site; empty for the group's own."""
    type: str
    """CX-5: PI, AN, VN, PN…"""
    oid: str = ""
    hd1: str = ""
    hd2: str = ""
    """What is written to HD-2: the OID, or the FINESS."""
    hd3: str = "ISO"

    @property
    def key(self) -> str:
        """The normal form that is hashed with a value: `1.2.250.1.999.10.1|PI`, `finess:000000026|PI`."""
        return f"{self.oid or f'finess:{self.hd2}'}|{self.type}"

    @property
    def of_patients(self) -> bool:
        """Whether its identifiers stand for a patient (and not for a stay, a visit, a paper file)."""
        return self.type in ("PI", "PN")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAuthorities:
    """What one site declares."""

    name: str
    finess: tuple[str, ...] = ()
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    """`CPAGE/PI` -> name of one of `authorities`."""


class Normal(NamedTuple):
    """A recognised authority and what CX-4 and CX-5 become, in the delimiters of the message."""

    authority: Authority
    assigner: bytes
    """CX-4: all three parts of the HD."""
    type: bytes
    reference: str
    """The authority's `key` where its identifiers stand for a patient, else empty."""


class Authorities:
    """Every authority of the group; `of(site)` gives the recogniser for the messages of one site."""

    def __init__(self, sites: Iterable[SiteAuthorities] = (), group: Mapping[str, Authority] | None = None) -> None:
        self.group: Mapping[str, Authority] = group or {}
        self.sites: dict[str, SiteAuthorities] = {site.name: site for site in sites}
        declared = {one.hd1 for one in self.all()}
        aliases = {spelling.rpartition("/")[0] for site in self.sites.values() for spelling in site.aliases}
        self.names: frozenset[str] = frozenset(name.upper() for name in declared | aliases if name)
        """In capitals: the names in HD-1 of all authorities, and those of aliases; none is a patient's."""
        self._recognisers: dict[tuple[str, str], Recogniser] = {}

    def of(self, site: str = "", untyped: str = "") -> Recogniser:
        """
        Return the recogniser for the messages of a site.

        Args:
            site: Its name; empty or unknown: only OIDs and FINESS are recognised.
            untyped: Name of the site's authority for a first repetition without CX-4 (`untyped:` of a source).
        """
        key = (site, untyped)
        found = self._recognisers.get(key)
        if found is None:
            found = self._recognisers[key] = Recogniser(self, site, untyped)
        return found

    def all(self) -> list[Authority]:
        """Every declared authority, the group's first."""
        return [*self.group.values(), *(one for site in self.sites.values() for one in site.authorities.values())]


_DIALECTS_MAX: Final = 64
"""Pairs of delimiters and kind of field whose spellings one recogniser keeps."""


class Recogniser:
    """Recognise identifiers in the messages of one site; remembers spellings, never values."""

    __slots__ = (
        "_aliases", "_by_finess", "_by_oid", "_spellings", "_types", "_untyped", "_usual", "all_names",
        "keys", "names", "own_patients", "site",
    )  # fmt: skip

    def __init__(self, known: Authorities, site: str, untyped: str = "") -> None:
        """Index every authority by OID and FINESS; a conflict between two sites is decided for `site`."""
        self.site = site
        self.all_names = known.names
        own = known.sites.get(site) or SiteAuthorities(name=site)
        self.names: dict[str, Authority] = dict(own.authorities)
        if "ipp" in known.group:
            self.names["group"] = known.group["ipp"]
        self.keys: dict[str, str] = {name: authority.key for name, authority in self.names.items()}
        """The normal form of each of `names`, made once: it is hashed with every search key."""
        self._untyped = own.authorities.get(untyped)
        self._aliases = {spelling.upper(): own.authorities[name] for spelling, name in own.aliases.items()}
        self._by_oid: dict[str, dict[str, Authority]] = {}
        self._by_finess: dict[str, dict[str, Authority | None]] = {}
        self._types: dict[str, Authority | None] = {}
        self._usual: dict[str, Spellings] = {}
        self._spellings: dict[tuple[bytes, bytes, str], Spellings] = {}
        for one in sorted(known.all(), key=lambda each: each.site == site):
            if one.oid:  # the own site comes last and wins
                self._by_oid.setdefault(one.oid, {})[one.type] = one
            else:
                self._by_finess.setdefault(one.hd2, {})[one.type] = one
        for other in sorted(known.sites.values(), key=lambda each: each.name == site):
            self._index_finess(other)
        for mine in own.authorities.values():
            self._types[mine.type] = None if mine.type in self._types else mine
        self.own_patients = {type_: one for type_, one in self._types.items() if one is not None and one.of_patients}
        """By CX-5: the site's only authority of that type, where it numbers patients."""

    def _index_finess(self, site: SiteAuthorities) -> None:
        own: dict[str, Authority | None] = {}
        for declared_one in site.authorities.values():
            own[declared_one.type] = None if declared_one.type in own else declared_one
        for finess in filter(None, site.finess):
            types = self._by_finess.setdefault(finess, {})
            for type_, one in own.items():
                declared = types.get(type_)
                if declared is not None and not declared.oid and declared.hd2 == finess:
                    continue  # declared with this very FINESS: says more than the site's own number
                ambiguous = type_ in types and site.name != self.site
                types[type_] = None if ambiguous else one

    def recognise(
        self, components: list[bytes], delimiters: Delimiters, repetition: int = 0, expected: str = ""
    ) -> Authority | None:
        """
        Say who gave an identifier.

        Args:
            components: The components of one repetition of a CX, raw bytes.
            delimiters: Those of the message.
            repetition: Its index, from 0: only the first one may lack CX-4 (`untyped:`).
            expected: CX-5 by the standard where the message has none: `AN` in PID-18, `VN` in PV1-19.

        Returns:
            The authority, or None: unknown, a third party, an archive number, the INS…
        """
        normal = self.normal(components, delimiters, repetition, expected)
        return None if normal is None else normal.authority

    def normal(
        self, components: list[bytes], delimiters: Delimiters, repetition: int = 0, expected: str = ""
    ) -> Normal | None:
        """Return the authority with what CX-4 and CX-5 become; arguments as for `recognise`."""
        count = len(components)
        assigner = components[3] if count > 3 else b""
        type_ = components[4] if count > 4 else b""
        if not assigner and not expected and (repetition or self._untyped is None):
            return None
        authority = self._find(assigner, type_, delimiters, expected)
        if authority is None:
            return None
        reference = authority.key if authority.of_patients else ""
        return Normal(authority, spell(authority, delimiters), authority.type.encode(), reference)

    def spellings(self, delimiters: Delimiters, expected: str = "") -> Spellings:
        """
        Return what was learnt of how identifiers are spelt here: the way to recognise them on a message's walk.

        Args:
            delimiters: Those of the message.
            expected: As for `recognise`.
        """
        if delimiters is STANDARD:
            usual = self._usual.get(expected)
            if usual is None:
                usual = self._usual[expected] = Spellings(self, delimiters, expected)
            return usual
        key = (delimiters.field, delimiters.declared, expected)
        found = self._spellings.get(key)
        if found is None:
            if len(self._spellings) >= _DIALECTS_MAX:
                self._spellings.clear()
            found = self._spellings[key] = Spellings(self, delimiters, expected)
        return found

    def _find(self, assigner: bytes, type_bytes: bytes, delimiters: Delimiters, expected: str) -> Authority | None:
        type_ = text_of(type_bytes).strip().upper()
        text = text_of(assigner).strip()
        hd = read_hd(assigner, delimiters)
        if not any(hd):
            return self._without_assigner(type_, expected)
        if text == '""':
            return None
        by_oid, by_finess = self._by_oid.get(hd.oid), self._by_finess.get(hd.finess)
        for types in (by_oid, by_finess):
            found = _of_type(types, type_, expected) if types is not None else None
            if found is not None:
                return found
        return self._aliases.get(f"{hd.name}/{type_}".upper()) or self._aliases.get(f"{text}/{type_}".upper())

    def _without_assigner(self, type_: str, expected: str) -> Authority | None:
        """PID-18 and PV1-19 have one kind of number each: the site's, if it has one authority of that kind."""
        if expected:
            return self._types.get(expected) if type_ in ("", expected) else None
        return self._untyped if TYPES_ALIKE.get(type_, type_) in ("", "PI") else None


def _of_type(types: Mapping[str, Authority | None], type_: str, expected: str) -> Authority | None:
    """Choose by CX-5; without it the expected one, else the only one."""
    if type_:
        return types.get(type_) or types.get(TYPES_ALIKE.get(type_, type_))
    if expected in types:
        return types[expected]
    return next(iter(types.values())) if len(types) == 1 else None


def spell(authority: Authority, delimiters: Delimiters) -> bytes:
    """Write CX-4 of an authority; declared names hold no delimiter (the loader refuses them)."""
    parts = (authority.hd1, authority.hd2, authority.hd3)
    if not delimiters.subcomponent:  # no way to write three parts: the one that tells the authority
        return authority.hd2.encode()
    return delimiters.subcomponent.join(part.encode() for part in parts)
