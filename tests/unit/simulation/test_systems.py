"""Which systems a configuration calls for, and how each spells."""

from engine.simulation.systems import CPAGE, OLD, RECENT, Sequence


def test_each_hospital_has_its_gam_with_other_habits(systems):
    """In the order of the file: CPage, an old product, a recent one."""
    assert [hospital.source.name for hospital in systems.hospitals] == ["gam_cha", "gam_chb", "gam_chc"]
    assert [hospital.habits for hospital in systems.hospitals] == [CPAGE, OLD, RECENT]


def test_shared_systems_are_found_by_their_sources(systems):
    """A source without a site of its own is shared; `ris` in its name tells radiology."""
    assert systems.laboratory.name == "lis_ght"
    assert systems.radiology.name == "ris_ght"
    assert systems.town_laboratory.name == "labo_ville"


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
