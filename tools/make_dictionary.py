"""
Make the dictionary's data of HL7 v2.1 to 2.8.2: `engine/dictionary/data/hl7/*.tsv`.

    npm pack hl7-dictionary@1.0.1 && tar xzf hl7-dictionary-1.0.1.tgz
    .venv/bin/python -m tools.make_dictionary package/lib

Structures, data types, cardinalities and codes of tables come from hl7apy's reference data. hl7apy holds no
length, no meaning of a code and no segment's name: those come from the npm package hl7-dictionary (2.1 to
2.7.1; 2.8 takes them over where the data type is the same). Both are MIT, see the NOTICE beside the data.

Each row says a thing once and the versions for which it is so. Known slips of the sources are mended here,
each with its reason, so that the files can be made again when the sources change.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

VERSIONS: Final = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
TEXTS_OF: Final = {"2.7": "2.7.1", "2.8": "2.7.1", "2.8.1": "2.7.1", "2.8.2": "2.7.1"}
"""hl7-dictionary's version for one of hl7apy, where it is another."""
TARGET: Final = Path(__file__).resolve().parents[1] / "engine" / "dictionary" / "data" / "hl7"

SEGMENT_NAMES: Final = {
    # since 2.8, which hl7-dictionary doesn't know
    "BUI": "blood unit information",
    "CDO": "cumulative dosage",
    "DON": "donation",
    "DPS": "diagnosis and procedure code",
    "MCP": "master file coverage",
    "OMC": "supporting clinical information",
    "PM1": "payer master file",
    "RXV": "pharmacy/treatment infusion",
    "SGH": "segment group header",
    "SGT": "segment group trailer",
}
TYPE_NAMES: Final = {
    "CQ_SIMPLE": "composite quantity with units",
    "DR_SIMPLE": "date range",
    "OG": "observation grouper",
}
NO_TABLE: Final = frozenset({"9999"})
"""hl7apy writes 9999 where a field has no table."""
OPEN_CODES: Final = re.compile(
    r"\.\.\.|^<|^No suggested|^and |[ ]and higher|^NN|^\W*$|[ ]…|^\d+ ?- ?\d+$|^\d+ ?_ ?\d*$|nnn|xxx", re.IGNORECASE
)
"""What stands among a table's codes and is none: with one of them, the table lists examples."""
CODE_LIST: Final = re.compile(r"[A-Z](?:, ?[A-Z])+")
"""Several codes that hl7apy writes as one: `L, M, N` of table 0301."""
ACRONYMS: Final = frozenset(
    re.findall(
        r"\w+",
        "ID IDS HL7 SSN DRG NDC UPIN DEA CPT ICD PID NK1 GT1 IN1 IN2 IN3 AL1 DG1 PR1 OBX OBR NTE UB1 UB2 UB82 UB92 "
        "HCFA URI OID QRD QRF RX RX1 RXC ORC FT1 MFI IAM FDA MIME DTM NPI EIN TV URL PRN UB PIN GP ISO XAD XTN XPN "
        "XCN CX CWE CNE PHI HMO ABO NPPES BP LOINC SNOMED UNII XML DNA RNA OCE APC RVU MSA ",
    )
)


def main(arguments: list[str]) -> int:
    """Read both sources and write the files."""
    if len(arguments) != 1:
        sys.stderr.write(__doc__ or "")
        return 2
    texts = Texts(Path(arguments[0]))
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, header, rows in (
        ("segments", "segment name", segment_rows(texts)),
        ("fields", "segment field type usage max length table name", field_rows(texts)),
        ("components", "type component type usage length table name", component_rows(texts)),
        ("structures", "structure content", structure_rows()),
        ("events", "type event structure name", event_rows(texts)),
        ("tables", "table code meaning kind", table_rows(texts)),
    ):
        write(TARGET / f"{name}.tsv", header.split(), rows)
    return 0


# --- the two sources ------------------------------------------------------------------------------------------


class Reference:
    """hl7apy's reference data of one version."""

    def __init__(self, version: str) -> None:
        module = importlib.import_module(f"hl7apy.v{version.replace('.', '_')}")
        elements: Mapping[str, Any] = module.ELEMENTS
        self.version = version
        self.segments = {name: children(one) for name, one in elements["Segment"].items() if name != "ANYHL7SEGMENT"}
        self.types: Mapping[str, Any] = elements["Datatypes_Structs"]
        self.messages: dict[str, Any] = {
            name: one for name, one in elements["Message"].items() if name != "ANYHL7SEGMENT"
        }
        self.tables: Mapping[str, Any] = elements.get("Table", {})

    def fields(self, segment: str) -> Iterator[tuple[int, str, str, int, int, str, str]]:
        """Yield number, type, table, least, most, name (as hl7apy writes it), key."""
        for key, reference, (least, most), _ in self.segments[segment]:
            _, _, type_, name, table, *_ = reference
            if key == "RX1_30":  # 2.1: one value too many in the tuple, types TX and CE
                type_, name, table = "TX", "INSTRUCTIONS_SIG", None
            yield int(key.rpartition("_")[2]), type_ or "", number_of(table), least, most, name or "", key


def children(one: Any) -> tuple[Any, ...]:
    """Return the children of a segment; ORO of 2.1 lacks its first word, withdrawn segments have none."""
    if isinstance(one[0], str):
        return tuple(one[1]) if len(one) > 1 else ()
    return tuple(one)


REFERENCES: Final = [Reference(version) for version in VERSIONS]


class Texts:
    """hl7-dictionary: names, lengths, meanings."""

    def __init__(self, folder: Path) -> None:
        self.tables: dict[str, Any] = assigned(folder / "tables.js")
        self._of: dict[str, dict[str, Any]] = {}
        for version in VERSIONS:
            name = TEXTS_OF.get(version, version)
            self._of[version] = {
                part: assigned(folder / name / f"{part}.js") for part in ("segments", "fields", "messages")
            }

    def segment(self, version: str, name: str) -> str:
        """Return a segment's name."""
        known = self._of[version]["segments"].get(name)
        return plain(known["desc"]) if known else SEGMENT_NAMES.get(name, "")

    def field(self, version: str, segment: str, number: int) -> dict[str, Any]:
        """Return what is said of a field."""
        fields = self._of[version]["segments"].get(segment, {}).get("fields", [])
        return fields[number - 1] if number <= len(fields) else {}

    def fields_of(self, version: str, segment: str) -> int:
        """Return how many fields a segment has."""
        return len(self._of[version]["segments"].get(segment, {}).get("fields", []))

    def type(self, version: str, name: str) -> dict[str, Any]:
        """Return what is said of a data type."""
        known: dict[str, Any] = self._of[version]["fields"].get(name, {})
        return known

    def messages(self, version: str) -> dict[str, Any]:
        """Return messages by type and event."""
        known: dict[str, Any] = self._of[version]["messages"]
        return known


def assigned(path: Path) -> dict[str, Any]:
    """Read `var name = {…}; module.exports = name;`, whose object is JSON."""
    text = path.read_text(encoding="utf-8")
    value: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return value


# --- words ----------------------------------------------------------------------------------------------------


def number_of(table: str | None) -> str:
    """`HL70001` -> `0001`; nothing for none."""
    if not table or not table.startswith("HL7") or not table[3:].isdigit():
        return ""
    number = table[3:]
    return number if number not in NO_TABLE else ""


def plain(name: str) -> str:
    """`Set ID - PID` -> `set ID - PID`: small letters, but for acronyms."""
    return " ".join(_plain_word(word) for word in name.replace("\xa0", " ").replace("\t", " ").split())


def _plain_word(word: str) -> str:
    parts = re.split(r"([/()\-,.&'])", word)
    return "".join(part.upper() if part.upper() in ACRONYMS or _is_code(part) else part.lower() for part in parts)


def _is_code(part: str) -> bool:
    """`TQ1`, `CM2`: capitals with a digit."""
    return part.isupper() and not part.isalpha()


def from_capitals(name: str) -> str:
    """`MOTHER_S_MAIDEN_NAME` -> `mother's maiden name`: hl7apy has nothing but capitals and underscores."""
    return plain(name.replace("_S_", "'s ").replace("_", " ").title().replace("'S ", "'s "))


# --- rows -----------------------------------------------------------------------------------------------------

Rows = Iterable[tuple[str, tuple[str, ...]]]
"""Pairs of a version and a row that holds for it."""


def segment_rows(texts: Texts) -> Rows:
    """Name the segments; where a version has no name, that of the nearest."""
    for reference in REFERENCES:
        for name in reference.segments:
            if name.startswith("Z"):
                continue
            found = texts.segment(reference.version, name) or next(
                (text for version in reversed(VERSIONS) if (text := texts.segment(version, name))), ""
            )
            yield reference.version, (name, found)


def field_rows(texts: Texts) -> Rows:
    """Describe the fields; those that hl7apy leaves out among others are withdrawn."""
    for reference in REFERENCES:
        version = reference.version
        for segment in reference.segments:
            known = {row[0]: row for row in reference.fields(segment)}
            if segment.startswith("Z"):
                continue
            for number in range(1, max(known, default=0) + 1):
                said = texts.field(version, segment, number)
                if number not in known:
                    yield version, (segment, str(number), "", "W", "1", "", "", plain(said.get("desc", "withdrawn")))
                    continue
                yield version, _field_row(segment, known[number], said)


def _field_row(segment: str, known: tuple[Any, ...], said: dict[str, Any]) -> tuple[str, ...]:
    number, type_, table, least, most, name, _ = known
    same = said.get("datatype", "").lower() == type_.lower()
    if most == 0 or type_.upper() in ("WD", ""):
        return (segment, str(number), "", "W", "1", "", "", plain(said.get("desc", "")) or from_capitals(name))
    usage = "R" if least else {3: "C", 4: "B"}.get(said.get("opt", 1), "O")
    length = str(said.get("len") or "") if same else ""
    words = plain(said["desc"]) if same and said.get("desc") else from_capitals(name)
    if not table and same and said.get("table"):
        table = f"{said['table']:04}"
    return (segment, str(number), type_, usage, "*" if most < 0 else str(most), length, table, words)


def component_rows(texts: Texts) -> Rows:
    """Describe the components of data types; row 0 is the type itself."""
    for reference in REFERENCES:
        version = reference.version
        for type_, parts in reference.types.items():
            said = texts.type(version, type_)
            yield version, (type_, "0", "", "", "", "", plain(said.get("desc", "")) or TYPE_NAMES.get(type_, ""))
            subfields = said.get("subfields", [])
            if parts and parts[0][0] == f"{type_}_2":  # XTN in 2.6
                yield version, (type_, "1", "", "W", "", "", plain(subfields[0]["desc"]))
            for key, (_, _, part_type, name, table, *_), (least, most), _ in parts:
                number = int(key.rpartition("_")[2])
                one = subfields[number - 1] if number <= len(subfields) else {}
                same = one.get("datatype", "").lower() == part_type.lower()
                usage = "W" if most == 0 or part_type == "WD" else "R" if least or one.get("opt") == 2 else "O"
                code = number_of(table) or (f"{one['table']:04}" if same and one.get("table") else "")
                words = plain(one["desc"]) if same and one.get("desc") else from_capitals(name)
                length = str(one.get("len") or "") if same else ""
                yield version, (type_, str(number), part_type if usage != "W" else "", usage, length, code, words)


def structure_rows() -> Rows:
    """Write message structures in HL7's abstract syntax, with names of groups."""
    for reference in REFERENCES:
        for name, one in reference.messages.items():
            yield reference.version, (name, " ".join(_part(name, part) for part in one[1]))


def _part(message: str, part: Any) -> str:
    key, reference, (least, most), kind = part
    text: str = key
    if kind == "GRP":
        name = key.removeprefix(f"{message}_")
        # QBP_Q13 of 2.4 has a group of nothing where the standard has `...`: any segments
        inner = [_part(message, child) for child in reference[1]] or ["[{ANYHL7SEGMENT}]"]
        text = f"{name}<{'|'.join(inner)}>" if reference[0] == "choice" else f"{name}({' '.join(inner)})"
    if most != 1:
        text = f"{{{text}}}"
    return f"[{text}]" if not least else text


def event_rows(texts: Texts) -> Rows:
    """Say which structure a type and an event have."""
    mapped = _table_0354(texts)
    for reference in REFERENCES:
        version = reference.version
        messages = texts.messages(version)
        keys = {key for key in (*reference.messages, *messages, *mapped) if re.fullmatch(r"[A-Z]{3}_[A-Z0-9]{3}", key)}
        for key in sorted(keys):
            structure = _structure_of(key, reference, messages, mapped)
            if structure:
                type_, _, event = key.partition("_")
                yield version, (type_, event, structure, plain(messages.get(key, {}).get("desc", "")))
        if "ACK" in reference.messages:
            yield version, ("ACK", "", "ACK", "general acknowledgment")


def _structure_of(key: str, reference: Reference, messages: dict[str, Any], mapped: dict[str, list[str]]) -> str:
    if key in reference.messages and (key not in mapped or reference.version < "2.3.1"):
        return key
    if key not in messages:
        return ""  # the version doesn't know this event
    # hl7apy has some structures twice, under events that share one: table 0354 says which is meant
    for structure in [*mapped.get(key, []), key]:
        if structure in reference.messages:
            return structure
    wanted = list(_names_said(messages[key]["segments"]["segments"]))
    for structure in sorted(reference.messages):
        if structure.startswith(key[:4]) and list(_names(reference.messages[structure][1])) == wanted:
            return structure
    return ""


def _table_0354(texts: Texts) -> dict[str, list[str]]:
    """Turn table 0354 around: the structures of a type and event."""
    found: dict[str, list[str]] = {}
    for structure, events in texts.tables["354"]["values"].items():
        for event in re.findall(r"[A-Z][A-Z0-9]\d|[A-Z]{3}", events):
            found.setdefault(f"{structure[:3]}_{event}", []).append(structure)
    return found


def _names(parts: Iterable[Any]) -> Iterator[str]:
    for key, reference, _, kind in parts:
        if kind == "GRP":
            yield from _names(reference[1])
        else:
            yield key


def _names_said(parts: Iterable[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        if "children" in part:
            yield from _names_said(part["children"])
        else:
            yield part["name"]


def table_rows(texts: Texts) -> Rows:
    """List codes with their meaning; row without code: the table's name, `open` where its codes are examples."""
    first = next(reference for reference in REFERENCES if reference.tables)
    for reference in REFERENCES:
        tables = reference.tables or first.tables  # before 2.3.1 hl7apy has none: those of 2.3.1 say what they meant
        for key, (name, codes) in tables.items():
            number = number_of(key)
            if not number:
                continue
            values = texts.tables.get(number.lstrip("0"), {}).get("values", {})
            cleaned = [each for code in codes for each in codes_in(code)]
            kept = [code for code in dict.fromkeys(cleaned) if code and not OPEN_CODES.search(code)]
            kind = "open" if len(kept) < len(set(cleaned)) or not kept else ""
            yield reference.version, (number, "", plain(name), kind)
            for code in kept:
                meaning = " ".join(values.get(code, "").replace("\xa0", " ").replace("?R)", "®)").split())
                yield reference.version, (number, code, meaning, "")


def codes_in(text: str) -> list[str]:
    """Return the codes that stand in one of hl7apy's; in 2.5 some have blanks around their hyphens."""
    code = " ".join(text.replace("\xa0", " ").split())
    if CODE_LIST.fullmatch(code):
        return re.split(", ?", code)
    return [re.sub(r"(?<=\w) - (?=\w)", "-", code)]


# --- files ----------------------------------------------------------------------------------------------------


def write(path: Path, header: list[str], rows: Rows) -> None:
    """Write rows that hold for several versions once, in their own order."""
    merged: dict[tuple[str, ...], list[str]] = {}
    for version, row in rows:
        versions = merged.setdefault(row, [])
        if version not in versions:
            versions.append(version)
    ordered = sorted(merged.items(), key=lambda item: (_rank(item[0]), VERSIONS.index(item[1][0])))
    lines = ["\t".join([*header, "versions"])]
    lines += ["\t".join([*row, spans(versions)]) for row, versions in ordered]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path.name}: {len(ordered)} rows, {path.stat().st_size:,} bytes\n")


def _rank(row: tuple[str, ...]) -> tuple[Any, ...]:
    return row[0], (0, int(row[1]), "") if row[1].isdigit() and len(row) > 4 else (1, 0, row[1])


def spans(versions: list[str]) -> str:
    """`2.1 2.2 2.3 2.5` -> `2.1-2.3,2.5`."""
    ranks = [VERSIONS.index(version) for version in versions]
    parts: list[list[int]] = []
    for rank in ranks:
        if parts and parts[-1][-1] == rank - 1:
            parts[-1].append(rank)
        else:
            parts.append([rank])
    return ",".join(VERSIONS[one[0]] + (f"-{VERSIONS[one[-1]]}" if len(one) > 1 else "") for one in parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
