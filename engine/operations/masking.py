"""
Bodies of messages with their values masked: the structure stays, letters become `x`, digits `9`.

Rules, because the messages that operators look at are often the broken ones:

- Everything is masked except an allowlist of (segment, field); there is no list of what to hide.
- What is allowed must also look like what belongs there (a set id is a short number, a class one letter):
  a field that slipped by one shows nothing.
- A line that doesn't begin with the name of a known segment is masked whole, its first letters too.
- Identifiers of patients and stays become pseudonyms; their authority is shown when the configuration
  knows it, word for word.
- Free text that other systems put into acknowledgements (MSA-3, ERR-7, ERR-8) may quote a patient: masked.

Bytes are read here without the parser: masking must not fail on what the parser refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.operations.assigners import Assigners, spelt
from engine.operations.pseudonyms import Pseudonyms
from engine.parsers.hl7v2.delimiters import Delimiters

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration

_ANY: Final = re.compile(r".{0,250}", re.DOTALL)
_SET_ID: Final = re.compile(r"\d{0,4}")
_TIME: Final = re.compile(r"[\d+.\-]{0,26}")
_CODE: Final = re.compile(r"[A-Z]{0,3}")
_LETTER: Final = re.compile(r"[A-Z]?")
_LOCATION: Final = re.compile(r"[A-Z][A-Z0-9]{2}[\d^&~]{0,30}|")
_OLD_ERROR: Final = re.compile(r"[A-Z][A-Z0-9]{2}\^\d*\^\d*(\^\d{0,4})?|")
_ERROR: Final = re.compile(r"\d{0,4}")
_ACTION: Final = re.compile(r"INSERT|UPDATE|CANCEL|")
_EVENT: Final = re.compile(r"([A-Z]\d{2})?")
_ACK: Final = re.compile(r"(A[AER]|C[AER])?")
_TYPE: Final = re.compile(r"[A-Z0-9]{0,3}(\^[A-Z0-9]{0,3}(\^[A-Z0-9_]{0,7})?)?")
_PROCESSING: Final = re.compile(r"[A-Z]?(\^[A-Z]?)?")
_VERSION: Final = re.compile(r"H?[\d.]{0,6}(\^[A-Z]{0,3}(\^[\d.]{0,6})?)?")
_CHARSET: Final = re.compile(r"((8859/\d{1,2}|UNICODE( UTF-(8|16|32))?|UTF-?8|ASCII|ISO-?8859-?\d{1,2})~?){0,3}")
_HPRIM_TYPE: Final = re.compile(r"[A-Z]{0,3}(\^?[A-Z]{0,3})?")

_ALLOWED: Final[Mapping[str, Mapping[int, re.Pattern[str]]]] = {
    # MSH-8 (security) is not here; nor what follows MSH-18, where a lost segment end puts the next segment.
    "MSH": dict.fromkeys((3, 4, 5, 6, 10), _ANY)
    | {7: _TIME, 9: _TYPE, 11: _PROCESSING, 12: _VERSION, 13: _SET_ID, 15: _CODE, 16: _CODE, 17: _CODE, 18: _CHARSET},
    "EVN": {1: _EVENT, 2: _TIME, 3: _TIME, 4: _CODE, 6: _TIME},
    "MSA": {1: _ACK, 2: _ANY},
    "ERR": {1: _OLD_ERROR, 2: _LOCATION, 3: _ERROR, 4: _LETTER},
    "ZBE": {4: _ACTION, 5: _LETTER, 6: _EVENT},
    "PV1": {1: _SET_ID, 2: _LETTER},
    "ORC": {1: _CODE, 5: _CODE},
    "OBR": {1: _SET_ID, 24: _CODE, 25: _LETTER},
    "OBX": {1: _SET_ID, 2: _CODE, 11: _LETTER},
    "H": {2: _ANY, 6: _HPRIM_TYPE, 11: _LETTER, 12: _VERSION, 13: _TIME},
} | {name: {1: _SET_ID} for name in ("PID", "NTE", "DG1", "AL1", "IN1", "IN2", "NK1", "GT1", "PR1", "ACC", "SPM")}

_IDENTIFIERS: Final[Mapping[str, frozenset[int]]] = {
    "PID": frozenset({2, 3, 4, 18, 21}),
    "MRG": frozenset({1, 2, 3, 4, 5, 6}),
    "PV1": frozenset({5, 19, 50}),
    "P": frozenset({2, 3, 4}),
}
"""Fields of type CX (HL7 v2.5 § 2.A.14): CX-1 becomes a pseudonym."""

_SEGMENTS: Final = frozenset(
    re.findall(
        r"\w+",
        "ABS ACC ADD AFF AIG AIL AIP AIS AL1 APR ARQ ARV BHS BLG BPX BTS BTX CON CTD CTI "
        "DB1 DG1 DRG DSC DSP EQU ERR EVN FAC FHS FT1 FTS GOL GT1 IAM IN1 IN2 IN3 INV IPC "
        "LOC MFA MFE MFI MRG MSA MSH NDS NK1 NPU NST NTE OBR OBX ODS ORC PD1 PDA PID PR1 "
        "PRB PRD PRT PTH PV1 PV2 QAK QPD QRD QRF RCP RDF RDT REL RF1 RGS ROL RQ1 RQD RXA "
        "RXC RXD RXE RXG RXO RXR SAC SCH SFT SPM TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 VAR ",
    )
)
_LOCAL: Final = re.compile(r"Z[A-Z0-9]{2}")
_HPRIM_SEGMENTS: Final = frozenset({"H", "P", "C", "A", "OBR", "OBX", "L", "AC", "AP", "REG", "FAC", "ACT"})
_WORDS: Final = frozenset({"ISO", "UUID", "PI", "PN", "AN", "VN", "MR", "NH", "INS", "RI", "M", "N", "L"})
"""Words of an authority that name nobody: HD-3 (table 0301) and CX-5 (table 0203)."""
_KEPT: Final = frozenset(" \t\r\n!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ENDINGS: Final = frozenset({"hl7", "hpr", "hprim", "txt", "xml", "dat", "msg"})
_LONG: Final = 200
_FAULT: Final = re.compile(r"([A-Z][A-Z0-9]{0,2})(?:\[[^\]]*\])?-(\d{1,3})")
_LINES: Final = re.compile(r"\r\n|\r|\n")


def mask(text: str) -> str:
    """Replace each letter by `x` and each digit by `9`; ASCII punctuation and spaces stay."""
    return "".join(
        letter if letter in _KEPT else "9" if letter.isdigit() or letter.isnumeric() else "x" for letter in text
    )


def mask_name(name: str) -> str:
    """Mask the name of a file, which some senders make of the patient's; a usual ending stays."""
    stem, dot, ending = name.rpartition(".")
    return mask(stem) + dot + ending if dot and ending.lower() in _ENDINGS else mask(name)


def known_words(configuration: Configuration | None) -> frozenset[str]:
    """Return the words of authorities and sites that the configuration declares; they name no patient."""
    words = set(_WORDS)
    if configuration is None:
        return frozenset(words)
    authorities = list(configuration.group_authorities.values())
    for site in configuration.sites.values():
        authorities += site.authorities.values()
        words |= {site.finess_ej, site.finess_eg}
    for authority in authorities:
        words |= {authority.oid, authority.hd1, authority.hd2, authority.hd3, authority.type}
    return frozenset(words - {""})


def decode(raw: bytes) -> str:
    """Decode for the eye: UTF-8, or cp1252 where it is none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


class Masking:
    """Show bodies without patient values."""

    def __init__(
        self,
        pseudonyms: Pseudonyms | None = None,
        known: frozenset[str] = _WORDS,
        assigners: Assigners | None = None,
    ) -> None:
        """
        Say what may be shown.

        Args:
            pseudonyms: Names for identifiers; None: they are masked like the rest.
            known: Words of authorities that are shown (known_words).
            assigners: Whose identifiers they are, however they are spelt; None: as they are spelt.
        """
        self._pseudonyms = pseudonyms
        self._known = known
        self._assigners = assigners

    def segments(self, raw: bytes, fmt: str = "hl7v2", *, faults: Iterable[str] = ()) -> list[dict[str, Any]]:
        """
        Show a message segment by segment, masked.

        Args:
            raw: The bytes; of any kind, broken ones too.
            fmt: `hl7v2`, `hprim-sante`, or another (masked whole, line by line).
            faults: Paths of faulty fields (`PID-3[@ipp].1`): the field is marked.

        Returns:
            `{"segment": name, "fields": [{"n": 3, "value": "…", "fault": True}]}` for each line; empty fields
            are left out. `segment` is empty for a line that is none; it has one field, 0.
        """
        return _segments(decode(raw), fmt, _marks(faults), self)

    def text(self, raw: bytes, fmt: str = "hl7v2") -> str:
        """Show a message as it is written, masked, one line a segment."""
        text = decode(raw)
        separators = _separators(text, fmt)
        return "\n".join(self._line(line, separators) for line in _lines(text))

    def field(self, segment: str, number: int, value: str, separators: _Separators | None) -> str:
        """Mask one field of a segment by its name, or with number 0 the whole segment; empty stays empty."""
        if not value or separators is None or (segment not in separators.known and not _LOCAL.fullmatch(segment)):
            return _shortened(mask(value))
        return self.value(segment, number, value, separators) if number else _shortened(self._line(value, separators))

    def leaf(self, segment: str, number: int, value: str) -> str:
        """Mask a part of a field, unless the field is allowed and the part looks as a whole one would."""
        allowed = _ALLOWED.get(segment, {}).get(number)
        return value if allowed is not None and allowed.fullmatch(value) else _shortened(mask(value))

    def _line(self, line: str, separators: _Separators | None) -> str:
        name = _segment_name(line, separators)
        if separators is None or not name:
            return mask(line)
        values = [self.value(name, n, value, separators) for n, value in _numbered(name, line, separators)]
        if name in _HEADERS and name != "H":
            del values[0]  # MSH-1 is the separator that `join` writes
        return separators.field.join([name, *values])

    def value(self, segment: str, field: int, value: str, separators: _Separators) -> str:
        """Mask one field, unless it is allowed and looks as it should."""
        if segment in _HEADERS and field <= 2 and value in (separators.field, separators.encoding):
            return value
        allowed = _ALLOWED.get(segment, {}).get(field)
        if allowed is not None and allowed.fullmatch(value):
            return value
        if field in _IDENTIFIERS.get(segment, ()) and self._pseudonyms is not None:
            split = value.split(separators.repetition) if separators.repetition else [value]
            path = f"{segment}-{field}"
            shown = [self._identifier(one, separators, path, index) for index, one in enumerate(split)]
            return separators.repetition.join(shown)
        return _shortened(mask(value))

    def _identifier(self, value: str, separators: _Separators, path: str, repetition: int) -> str:
        parts = value.split(separators.component) if separators.component else [value]
        if parts[0] and parts[0] != '""' and self._pseudonyms is not None:
            if self._assigners is None:
                authority = spelt(parts)
            else:
                authority = self._assigners.of(path, parts, separators.delimiters, repetition)
            parts[0] = self._pseudonyms.of(authority, parts[0].strip())
        for index in range(1, len(parts)):
            if index in (3, 4):
                words = parts[index].split(separators.subcomponent) if separators.subcomponent else [parts[index]]
                parts[index] = separators.subcomponent.join(w if w in self._known else mask(w) for w in words)
            else:
                parts[index] = mask(parts[index])
        return separators.component.join(parts) if separators.component else parts[0]


def separators_of(raw: bytes, fmt: str) -> _Separators | None:
    """Return the delimiters of a message, for `Masking.field`; None: it has none, so everything is masked."""
    return _separators(decode(raw), fmt)


def revealed(raw: bytes, fmt: str = "hl7v2", *, faults: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Show a message segment by segment with its values; the caller has written it to the audit trail."""
    return _segments(decode(raw), fmt, _marks(faults), None)


_HEADERS: Final = frozenset({"MSH", "FHS", "BHS", "H"})


class _Separators:
    """The delimiters of one message, for the eye: read from its first header."""

    __slots__ = ("component", "encoding", "field", "known", "repetition", "subcomponent")

    def __init__(self, field: str, encoding: str, known: frozenset[str], order: tuple[int, int, int]) -> None:
        def at(index: int) -> str:
            return encoding[index] if index < len(encoding) else ""

        self.field = field
        self.encoding = encoding
        self.known = known
        self.component, self.repetition, self.subcomponent = at(order[0]), at(order[1]), at(order[2])

    @property
    def delimiters(self) -> Delimiters:
        """The same for the parsers, as bytes of UTF-8."""
        roles = [self.component, self.repetition, "", self.subcomponent, ""]
        return Delimiters(self.field.encode(), self.encoding.encode(), [role.encode() for role in roles])


def _separators(text: str, fmt: str) -> _Separators | None:
    if fmt == "hl7v2":
        found = re.search(r"(?:^|[\r\n\ufeff\s])(?:MSH|FHS|BHS)([^\w\s])([^\r\n]{0,8})", text)
        return _delimited(found, _SEGMENTS)
    if fmt == "hprim-sante":
        found = re.search(r"(?:^|[\r\n\ufeff\s])H([^\w\s])([^\r\n]{0,8})", text)
        return _delimited(found, _HPRIM_SEGMENTS)
    return None


def _delimited(found: re.Match[str] | None, known: frozenset[str]) -> _Separators | None:
    """Take the delimiters of a header; what has letters or digits among them is no header."""
    if found is None:
        return None
    encoding = found[2].split(found[1])[0]
    return None if any(map(str.isalnum, encoding)) else _Separators(found[1], encoding, known, (0, 1, 3))


def _lines(text: str) -> list[str]:
    return [line for line in _LINES.split(text.lstrip("\ufeff")) if line.strip()]


def _segment_name(line: str, separators: _Separators | None) -> str:
    if separators is None:
        return ""
    name, found, _ = line.partition(separators.field)
    if name in separators.known and (found or len(name) == 3):
        return name
    return name if found and _LOCAL.fullmatch(name) else ""


def _segments(text: str, fmt: str, marks: set[tuple[str, int]], masking: Masking | None) -> list[dict[str, Any]]:
    separators = _separators(text, fmt)
    shown = []
    for line in _lines(text):
        name = _segment_name(line, separators)
        if separators is None or not name:
            whole = line if masking is None else _shortened(mask(line))
            shown.append({"segment": "", "fields": [{"n": 0, "value": whole}]})
            continue
        fields: list[dict[str, Any]] = []
        for number, value in _numbered(name, line, separators):
            if not value:
                continue
            one = value if masking is None else masking.value(name, number, value, separators)
            fields.append({"n": number, "value": one} | ({"fault": True} if (name, number) in marks else {}))
        absent = sorted(n for segment, n in marks if segment == name and n not in {field["n"] for field in fields})
        fields += [{"n": n, "value": "", "fault": True} for n in absent]
        shown.append({"segment": name, "fields": fields})
    return shown


def _numbered(name: str, line: str, separators: _Separators) -> Iterable[tuple[int, str]]:
    """Number the fields as the standard does: MSH-1 is the separator itself (HL7 v2.5 § 2.15.9.1)."""
    parts = line.split(separators.field)[1:]
    if name in _HEADERS and name != "H":
        yield 1, separators.field
        yield from enumerate(parts, 2)
    else:
        yield from enumerate(parts, 1)


def _marks(faults: Iterable[str]) -> set[tuple[str, int]]:
    return {(found[1], int(found[2])) for fault in faults if (found := _FAULT.match(fault))}


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text):,} characters)"
