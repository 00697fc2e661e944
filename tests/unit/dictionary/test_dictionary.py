"""One version of HL7 v2, with hl7apy's reference data as the oracle; the French extension on top."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

from engine.dictionary.dictionary import PAM_FR, VARIES, Dictionary, dictionary_of
from engine.dictionary.versions import VERSIONS
from tools.make_dictionary import codes_in

SLIPS = {
    # hl7apy's own slips, mended by tools/make_dictionary.py
    ("2.1", "RX1-30"): "the tuple holds one value too many: types TX and CE",
}


def reference(version):
    """Return hl7apy's elements, which is imported by tests and tools alone."""
    return importlib.import_module(f"hl7apy.v{version.replace('.', '_')}").ELEMENTS


def children(one):
    if isinstance(one[0], str):
        return one[1] if len(one) > 1 else ()
    return one


@pytest.mark.parametrize("version", VERSIONS)
def test_fields_are_those_of_the_reference(version):
    """Every segment, every field: data type, whether it is required, how often it may stand, its table."""
    dictionary = dictionary_of(version)
    for name, one in reference(version)["Segment"].items():
        if name == "ANYHL7SEGMENT" or name.startswith("Z"):
            continue
        assert dictionary.segment(name) is not None, name
        for key, described, (least, most), _ in children(one):
            number = int(key.rpartition("_")[2])
            part = dictionary.field(name, number)
            assert part is not None, key
            if (version, f"{name}-{number}") in SLIPS:
                continue
            if most == 0 or described[2] in (None, "WD", "wd"):
                assert (part.usage, part.type) == ("W", ""), key
                continue
            assert part.type == described[2], key
            assert (part.usage == "R") == (least > 0), key
            assert part.most == max(most, 0), key
            table = (described[4] or "").removeprefix("HL7")
            assert not table or table == "9999" or part.table == table, key


@pytest.mark.parametrize("version", VERSIONS)
def test_data_types_are_those_of_the_reference(version):
    """Every component of every composite type."""
    dictionary = dictionary_of(version)
    for name, parts in reference(version)["Datatypes_Structs"].items():
        known = dictionary.type(name)
        assert known is not None, name
        assert [part.number for part in known.components] == list(range(1, len(known.components) + 1)), name
        for key, described, (least, most), _ in parts:
            part = known.components[int(key.rpartition("_")[2]) - 1]
            if most == 0 or described[2] == "WD":
                assert part.usage == "W", key
            else:
                assert part.type == described[2], key
                assert part.usage == "R" or not least, key


@pytest.mark.parametrize("version", VERSIONS)
def test_structures_are_those_of_the_reference(version):
    """Every message, group for group, cardinality for cardinality."""
    dictionary = dictionary_of(version)
    messages = reference(version)["Message"]
    assert set(dictionary._structures) == set(messages) - {"ANYHL7SEGMENT"}
    for name in dictionary._structures:
        assert dictionary.structure(name) == " ".join(shown(name, part) for part in messages[name][1]), name


def shown(message, part):
    """Write a part of a structure in HL7's abstract syntax."""
    key, one, (least, most), kind = part
    text = key
    if kind == "GRP":
        inner = [shown(message, child) for child in one[1]] or ["[{ANYHL7SEGMENT}]"]  # `...` in QBP_Q13 of 2.4
        brackets = "<{}>" if one[0] == "choice" else "({})"
        joined = ("|" if one[0] == "choice" else " ").join(inner)
        text = key.removeprefix(f"{message}_") + brackets.format(joined)
    text = f"{{{text}}}" if most != 1 else text
    return text if least else f"[{text}]"


@pytest.mark.parametrize("version", [version for version in VERSIONS if version > "2.3"])
def test_codes_of_tables_are_those_of_the_reference(version):
    """All codes but what stands among them and is none (`...`, `NNxxx`): then the table is open."""
    dictionary = dictionary_of(version)
    for key, (_, codes) in reference(version)["Table"].items():
        table = dictionary.table(key.removeprefix("HL7"))
        assert table is not None, key
        cleaned = {each for code in codes for each in codes_in(code)} - {""}
        assert set(table.codes) <= cleaned, key
        assert table.open or set(table.codes) == cleaned, key


@pytest.mark.parametrize("version", VERSIONS)
def test_codes_are_single_ones(version):
    """HL7apy writes some lists and ranges as one code; what HL7 allows there isn't an error."""
    dictionary = dictionary_of(version)
    universal = dictionary.table("0301")
    assert universal is not None
    assert set("LMN") <= set(universal.codes)
    assert universal.codes["N"] == "Reserved for locally defined coding schemes."
    assert not any("," in code for code in universal.codes)
    subtypes = dictionary.table("0291")
    assert subtypes is not None
    assert not any(" - " in code for code in subtypes.codes)
    for number in ("0359", "0418"):  # 2 and higher
        priorities = dictionary.table(number)
        assert priorities is None or priorities.open


@pytest.mark.parametrize("version", VERSIONS)
def test_every_name_leads_somewhere(version):
    """Segments of structures, tables of HL7's closed types, structures of events."""
    dictionary = dictionary_of(version)
    known = {*dictionary._segments, "ANYHL7SEGMENT", "Z"}
    for name in dictionary._structures:
        content = dictionary.structure(name)
        assert content is not None
        words = re.findall(r"[A-Za-z0-9_]+(?![A-Za-z0-9_]*[(<])", content)
        assert not {word for word in words if word not in known and not word.startswith("Z")}, name
    for event in dictionary._events.values():
        assert event.structure in dictionary._structures


def test_the_same_dictionary_for_the_same_version():
    """Made once; what follows the number makes no other."""
    assert dictionary_of("2.5^FRA^2.11") is dictionary_of("2.5")
    assert dictionary_of("2.9") is dictionary_of("2.8.2")
    assert dictionary_of("2.5", PAM_FR) is not dictionary_of("2.5")


def test_what_isnt_there_is_none():
    """Segments, fields, types, tables, structures, events."""
    dictionary = dictionary_of("2.5")
    assert dictionary.segment("ZBE") is None
    assert dictionary.field("PID", 40) is None
    assert dictionary.field("PID", 0) is None
    assert dictionary.type("ST") is None
    assert dictionary.component("CX", 11) is None
    assert dictionary.table("9999") is None
    assert dictionary.structure("ADT_A04") is None
    assert dictionary.event("ADT", "Z99") is None


@pytest.mark.parametrize(
    ("version", "type_", "event", "structure"),
    [
        ("2.5", "ADT", "A04", "ADT_A01"), ("2.5", "ADT", "A28", "ADT_A05"), ("2.5", "ADT", "A40", "ADT_A39"),
        ("2.5", "ADT", "A44", "ADT_A43"), ("2.5", "ADT", "A11", "ADT_A09"), ("2.5", "ADT", "A47", "ADT_A30"),
        ("2.5", "ORU", "R01", "ORU_R01"), ("2.3", "ADT", "A28", "ADT_A01"), ("2.2", "ADT", "A31", "ADT_A31"),
        ("2.5", "ACK", "", "ACK"), ("2.8.2", "MDM", "T10", "MDM_T02"), ("2.5", "SIU", "S14", "SIU_S12"),
    ],
)  # fmt: skip
def test_the_structure_of_an_event(version, type_, event, structure):
    """As chapter 3 and table 0354 say."""
    found = dictionary_of(version).event(type_, event)
    assert found is not None
    assert found.structure == structure


def test_names_in_words():
    """Of a segment, a field, a component, a subcomponent; a simple type's only component is the field."""
    dictionary = dictionary_of("2.5")
    assert dictionary.words("PID", 0) == "patient identification"
    assert dictionary.words("PID", 5) == "patient name"
    assert dictionary.words("PID", 5, 1) == "family name"
    assert dictionary.words("PID", 5, 1, 1) == "surname"
    assert dictionary.words("PID", 6) == "mother's maiden name"
    assert dictionary.words("PID", 8, 1) == "administrative sex"
    assert dictionary.words("PID", 8, 2) == ""
    assert dictionary.words("PID", 3, 4, 2) == "universal ID"
    assert dictionary.words("ZZZ", 1) == ""
    assert dictionary_of("2.8.2").words("PID", 40) == "patient telecommunication information"


def test_lengths_and_meanings():
    """What hl7apy doesn't hold."""
    dictionary = dictionary_of("2.5")
    sex = dictionary.field("PID", 8)
    assert sex is not None
    assert (sex.length, sex.table) == (1, "0001")
    table = dictionary.table("0001")
    assert table is not None
    assert table.codes["F"] == "Female"
    value = dictionary.field("OBX", 5)
    assert value is not None
    assert value.type == VARIES


def test_the_french_extension():
    """Its segments, its restrictions, its tables, its names; HL7's stay where it says nothing."""
    dictionary = dictionary_of("2.5", PAM_FR)
    movement = dictionary.segment("ZBE")
    assert movement is not None
    assert [part.usage for part in movement.fields] == ["R", "R", "X", "R", "R", "C", "C", "O", "R"]
    assert [len(one.fields) for name in ("ZFA", "ZFP", "ZFV", "ZFM", "ZFD", "ZFS")
            if (one := dictionary.segment(name))] == [12, 2, 11, 5, 8, 8]  # fmt: skip
    forbidden = {
        f"{name}-{part.number}" for name in ("PID", "NK1", "PV1", "ZBE", "ZFV")
        if (one := dictionary.segment(name)) for part in one.fields if part.usage == "X"
    }  # fmt: skip
    assert forbidden == {
        "PID-2", "PID-4", "PID-9", "PID-10", "PID-12", "PID-17", "PID-19", "PID-20", "PID-22", "PID-28",
        "NK1-25", "NK1-28", "NK1-35", "PV1-9", "PV1-40", "ZBE-3", "ZFV-3",
    }  # fmt: skip
    sexes = dictionary.table("0001")
    assert sexes is not None
    assert list(sexes.codes) == ["F", "M", "U"]
    assert dictionary.table("0003") is not None
    event = dictionary.event("ADT", "Z99")
    assert event is not None
    assert event.structure == "ADT_A01"
    assert "[PV2] [ZBE] [ZFA] [ZFP] [ZFV] [ZFM] [ZFD] [{ZFS}]" in (dictionary.structure("ADT_A01") or "")
    assert dictionary.structure("ADT_A39") == dictionary_of("2.5").structure("ADT_A39")


def test_a_french_name_may_depend_on_its_neighbours():
    """The family name is the birth name where XPN-7 is L."""
    dictionary = dictionary_of("2.5", PAM_FR)
    assert dictionary.words("PID", 5, 1, beside=["X", "", "", "", "", "", "L"]) == "birth name"
    assert dictionary.words("PID", 5, 1, beside=["X", "", "", "", "", "", "D"]) == "usual name"
    assert dictionary.words("PID", 5, 1) == "family name"
    assert dictionary.words("PID", 18) == "stay number (NDA)"


@pytest.mark.parametrize("name", ["segments", "fields", "tables", "structures", "events"])
def test_nothing_is_read_before_it_is_asked_for(name):
    """Each part of a version has its own file, read at the first question about it."""
    dictionary = Dictionary("2.4")
    assert f"_{name}" not in vars(dictionary)


def test_the_dictionary_needs_no_hl7apy():
    """The running engine never imports it."""
    program = (
        "import sys; from engine.dictionary.dictionary import dictionary_of as d;"
        "d('2.5').field('PID', 3); print('hl7apy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        ("0001", "F M U"), ("0002", "A D G M P S U W"), ("0004", "E I N O R V"), ("0007", "C L N R U RM IE"),
        ("0190", "H BDL BR C M O B VA SA BI ASE ORI DST"), ("0326", "A V"),
        ("0445", """VIDE PROV VALI DOUB DESA DPOT DOUA COLP COLV FILI CACH ANOM IDVER RECD IDRA USUR HOMD HOMA INVA
                    FICT DOUT"""),
        ("ZBE-4", "INSERT UPDATE CANCEL"), ("ZFA-1", "ACTIF FERME INEXISTANT"), ("ZFA-9", "NA IO INO"),
        ("ZFA-11", "NA INC IC"), ("ZFP-1", "1 2 3 4 5 6 7 8"), ("ZFV-11", "MED PARAMED AUCUN"),
        ("ZFM-1", "0 6 7 8 N O"), ("ZFM-2", "0 4 5 6 7 8 9"), ("ZFM-3", "1 2 3 4 5 6 7 8 9 R U"), ("ZFM-5", "5 U V"),
        ("ZFD-5", "SM CV INSI CB RFID"), ("ZFD-7", "AN CC CE CM CN CS LE PA PC TC"),
        ("ZFS-6", "OPP SPP SPL SPAP SDREP SDREM SDREIP SPD SDT SDTU SPI"),
    ],
)  # fmt: skip
def test_codes_of_pam_france(number, codes):
    """All of PAM 2.11.1 § 4.2 to 4.4, and no other."""
    table = dictionary_of("2.5", PAM_FR).table(number)
    assert table is not None
    assert set(table.codes) == set(codes.split())
