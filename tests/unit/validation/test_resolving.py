"""From the dictionary and a profile to shapes."""

from __future__ import annotations

from engine.dictionary.dictionary import PAM_FR, dictionary_of
from engine.dictionary.entries import Part, Table
from engine.validation.profile import Override, Profile
from engine.validation.resolving import Resolver, is_varying


def resolver(**profile: object) -> Resolver:
    return Resolver(Profile(name="x", **profile), dictionary_of("2.5", PAM_FR))  # type: ignore[arg-type]


def field(resolver: Resolver, segment: str, number: int, group: str = ""):
    return resolver.field(segment, resolver.fields(segment)[number - 1], group)


def test_a_composite_has_parts_down_to_simple_ones():
    """CX-4 is an HD of three; what is composite below a subcomponent is the first simple part of its type."""
    shape = field(resolver(), "PID", 3)
    assert [part.type for part in shape.parts][:5] == ["ST", "ST", "ID", "HD", "ID"]
    assert [part.type for part in shape.parts[3].parts] == ["IS", "ST", "ID"]
    quantity = field(resolver(), "ORC", 7).parts[0]
    assert [(part.type, part.parts) for part in quantity.parts] == [("NM", ()), ("ST", ())]


def test_tables_of_hl7_and_of_users():
    """ID: closed by HL7; IS and coded types: a site may have its own; open tables have no codes."""
    shapes = resolver()
    assert field(shapes, "ZBE", 4).rule == "table"
    assert field(shapes, "PID", 8).rule == "user-table"
    code = field(shapes, "PID", 16).parts[0]
    assert (code.table, code.coding_system, code.rule) == ("0002", 3, "user-table")
    assert field(shapes, "PID", 3).parts[4].codes is None
    assert field(shapes, "MSH", 12).parts[0].codes is None


def test_what_a_profile_says_comes_first():
    """Usage, repetitions, length, type, table, values, name, severity; in one group only, where it says so."""
    said = Override(usage="X", most=3, length=4, type="NM", words="bed", severity="warning")
    shapes = resolver(
        overrides={("PID", 8, 0, 0): said, ("PID", 3, 4, 2): Override(usage="R")},
        within={"A.B": {("PID", 8, 0, 0): Override(usage="R")}},
        tables={"0002": Table("0002", "", False, {"Q": ""})},
    )
    shape = field(shapes, "PID", 8)
    assert (shape.usage, shape.most, shape.length, shape.type, shape.words) == ("X", 3, 4, "NM", "bed")
    assert shape.severity == "warning"
    assert field(shapes, "PID", 8, "A.B").usage == "R"
    assert shapes.usage("PID", shapes.fields("PID")[7], "A.B") == "R"
    assert field(shapes, "PID", 3).parts[3].parts[1].usage == "R"
    assert list(field(shapes, "PID", 16).parts[0].codes or ()) == ["Q"]


def test_values_and_patterns_of_a_coded_field_are_those_of_its_code():
    """PID-16 is a CE: its code is its first component."""
    shapes = resolver(overrides={("PID", 16, 0, 0): Override(codes={"M": ""}, matches=str.isalpha)})
    code = field(shapes, "PID", 16).parts[0]
    assert list(code.codes or ()) == ["M"]
    assert code.matches is str.isalpha


def test_fields_of_ones_own():
    """Of a segment that the dictionary doesn't have; numbers between them are free."""
    shapes = resolver(fields={"ZXX": {2: Part(2, "ST", "R", 1, 0, "", "ward")}})
    assert [part.number for part in shapes.fields("ZXX")] == [1, 2]
    assert not field(shapes, "ZXX", 1).known
    assert shapes.fields("ZYY") == []


def test_types_that_vary():
    """OBX-5: the shape is that of the type that OBX-2 says, if anybody knows it."""
    shapes = resolver()
    assert is_varying(shapes.fields("OBX")[4])
    number = shapes.value("NM", "value")
    assert number is not None
    assert number.type == "NM"
    document = shapes.value("ED", "value")
    assert document is not None
    assert [part.usage for part in document.parts] == ["O", "R", "O", "R", "R"]
    assert shapes.value("", "value") is None
    assert shapes.value("QQ", "value") is None


def test_lengths_that_limit_nothing():
    """65,536 and 99,999 stand in HL7 where no length is meant."""
    document = resolver().value("ED", "value")
    assert document is not None
    assert document.parts[4].length == 0
    assert field(resolver(), "OBX", 5).length == 0
