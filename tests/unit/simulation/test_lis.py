"""Results of the shared laboratory and files of the one in town."""

import random
from dataclasses import replace

import pytest

from engine.parsers.paths import Path
from engine.routes.configuration import AttachedFiles
from engine.simulation.gam import Gam
from engine.simulation.lis import Lis, TownLaboratory, _cut
from engine.simulation.patients import Population
from engine.simulation.systems import Sequence


@pytest.fixture
def stay(systems, clock):
    return Gam(systems.hospitals[0], Sequence("t"), clock).new_stay(
        Population(1).person(3), "900000000003", "4021", "I"
    )


def test_results_name_the_hospital_by_its_finess(systems, clock, stay):
    """MSH-4 tells the site of a shared system; PID-3 is that hospital's number."""
    lis = Lis(systems.laboratories[""], Sequence("L"), clock)
    message = lis.results(systems.hospitals[0], stay, "77", random.Random(1), "F")
    lines = message.payload.decode("cp1252").split("\r")
    assert lines[0].split("|")[3] == "CHA^010781062^N"
    assert lines[1].split("|")[3] == "900000000003^^^CPAGE&1.2.250.1.999.10.1&ISO^PI"
    observations = [line for line in lines if line.startswith("OBX")]
    assert len(observations) >= 2
    assert all(line.split("|")[11] == "F" for line in observations)
    assert (message.source, message.event, message.site) == ("lis_ght", "ORU^R01", "cha")


def test_the_same_chance_gives_the_same_results(systems, clock, stay):
    """Stories can be told again."""
    twice = [
        Lis(systems.laboratories[""], Sequence("L"), clock)
        .results(systems.hospitals[0], stay, "7", random.Random(5), "P")
        .payload
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


def test_a_file_of_the_town_laboratory_is_hprim(systems, clock):
    """H with `~` as component, OBX, L with the number of segments; the file's name in H-2."""
    town = TownLaboratory(systems.town_laboratory, Sequence("V"), clock)
    message = town.results(systems.hospitals[0], Population(1).person(3), "900000000003", random.Random(1))
    lines = message.payload.decode("cp1252").split("\r\n")
    header = lines[0].split("|")
    assert lines[0].startswith("H|~^\\&|")
    assert (header[2], header[6], header[12]) == ("V1.hpr", "ORU", "H2.2~C")
    assert message.control_id == "V1.hpr"
    assert lines[-2] == f"L|1|1|{len(lines) - 1}"
    assert lines[1].split("|")[2] == "900000000003"


def test_long_lines_are_cut_and_can_be_joined_again():
    """What follows the limit stands on `A|` lines; removing end and `A|` gives the line back."""
    line = "OBX|1|TX|" + "é" * 700
    cut = _cut([line, "L|1|1|2"])
    assert all(len(part) <= 210 for part in cut)
    assert cut[0] + "".join(part.removeprefix("A|") for part in cut[1:-1]) == line


def test_some_files_name_a_document_where_the_source_takes_such(systems, clock):
    """OBX of kind FIC, and the document with it; none where the source doesn't look for them."""
    person, hospital = Population(1).person(3), systems.hospitals[0]

    def dropped(source):
        town, chance = TownLaboratory(source, Sequence("V"), clock), random.Random(1)
        return [town.results(hospital, person, "900000000003", chance) for _ in range(20)]

    source = replace(systems.town_laboratory, attachments=AttachedFiles(path=Path.parse("OBX[2=FIC]-5[*]")))
    assert not any(b"|FIC|" in one.payload or one.files for one in dropped(systems.town_laboratory))
    named = [one for one in dropped(source) if one.files]
    assert 0 < len(named) < 20
    for one in named:
        [(name, data)] = one.files
        lines = one.payload.decode("cp1252").split("\r\n")
        assert lines[-3].startswith("OBX|4|FIC|")
        assert lines[-3].endswith(f"~{name}~PDF")
        assert lines[-2] == f"L|1|1|{len(lines) - 1}"
        assert data.startswith(b"%PDF")
