"""Which systems a configuration calls for, and how each spells."""

from dataclasses import replace

from engine.routes.configuration import Source
from engine.simulation.patients import Population
from engine.simulation.story import Story
from engine.simulation.systems import CPAGE, OLD, RECENT, Sequence, systems_of


def test_each_hospital_has_its_gam_with_other_habits(systems):
    """In the order of the file: CPage, an old product, a recent one."""
    assert [hospital.source.name for hospital in systems.hospitals] == ["gam_cha", "gam_chb", "gam_chc"]
    assert [hospital.habits for hospital in systems.hospitals] == [CPAGE, OLD, RECENT]


def test_shared_systems_are_found_by_their_sources(systems):
    """A source without a site of its own is shared; `ris` in its name tells radiology."""
    assert {site: one.name for site, one in systems.laboratories.items()} == {"": "lis_ght"}
    assert {site: one.name for site, one in systems.radiologies.items()} == {"": "ris_ght"}
    assert systems.town_laboratory.name == "labo_ville"


def test_a_laboratory_of_one_site_is_no_admission_system(configuration, clock):
    """Its name tells; it sends for that hospital alone, the shared one for the others. `ris` is a word, not letters."""
    named = [("lis_cha", "cha"), ("CHB-RIS", "chb"), ("gam_paris", "cha")]
    sources = {name: Source(name=name, type="mllp", site=site) for name, site in named}
    systems = systems_of(replace(configuration, sources=configuration.sources | sources), lambda site: ("4021",))
    assert [one.source.name for one in systems.hospitals] == ["gam_cha", "gam_chb", "gam_chc", "gam_paris"]
    story = Story(systems, Population(1), seed=1, tag="t", clock=clock)
    sent = {(one.source, one.patient.partition("/")[0]) for _ in range(2_000) for one in story.step()}
    assert {pair for pair in sent if not pair[0].startswith(("gam", "labo_"))} == {
        ("lis_cha", "cha"), ("lis_ght", "chb"), ("lis_ght", "chc"),
        ("CHB-RIS", "chb"), ("ris_ght", "cha"), ("ris_ght", "chc"),
    }  # fmt: skip


def test_an_authority_is_spelled_in_each_hospitals_way(systems):
    """The OID is always there, name and type are as the product writes them."""
    cha, chb, chc = systems.hospitals
    assert cha.identifier("ipp", "1") == "1^^^CPAGE&1.2.250.1.999.10.1&ISO^PI"
    assert cha.identifier("nda", "1") == "1^^^CPAGE&1.2.250.1.999.12.1&L^AN"
    assert chb.identifier("ipp", "1") == "1^^^&1.2.250.1.999.20.1&ISO^RI"
    assert chc.identifier("visit", "1") == "1^^^CHC-VISIT&1.2.250.1.999.32.1&ISO^VN"


def test_one_number_names_two_people_at_two_hospitals(systems):
    """Only the authority tells them apart: a lane by the value alone would be wrong."""
    _, chb, chc = systems.hospitals
    assert chb.ipp(7) == chc.ipp(0)
    assert chb.ipp(7, copy=1) != chb.ipp(7)


def test_control_ids_never_repeat():
    """Their tag tells runs apart."""
    sequence = Sequence("t")
    assert [sequence.next() for _ in range(3)] == ["t1", "t2", "t3"]
