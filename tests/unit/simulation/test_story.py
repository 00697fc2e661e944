"""What happens: everything that a GAM sends, in an order that can be."""

from collections import Counter
from pathlib import Path

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Attachment, StoredMessage
from engine.core.references import References
from engine.routes import load
from engine.routes.evaluation import evaluate
from engine.simulation.ght import PEOPLE, units_of
from engine.simulation.patients import Population
from engine.simulation.story import UNKNOWN_UNIT, Story
from engine.simulation.systems import systems_of


def tell(systems, clock, steps, seed=1, begin_s=0):
    story = Story(systems, Population(PEOPLE), seed=seed, tag="t", clock=clock, begin_s=begin_s)
    return [message for _ in range(steps) for message in story.step()]


def test_the_same_seed_tells_the_same_story(systems, clock):
    """Byte for byte; another seed tells another one."""
    assert tell(systems, clock, 300) == tell(systems, clock, 300)
    assert tell(systems, clock, 300) != tell(systems, clock, 300, seed=2)


def test_everything_happens_that_hospitals_send(systems, clock):
    """Every event of the promised list occurs, at every kind of system."""
    messages = tell(systems, clock, 4000)
    events = Counter(message.event for message in messages)
    for rank in (1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 28, 31, 40, 44):
        assert events[f"ADT^A{rank:02d}"], rank
    assert events["ADT^Z99"]
    assert events["ORU^R01"]
    assert events["ORM^O01"]
    assert events["ORU"]
    assert {message.source for message in messages} == {
        "gam_cha", "gam_chb", "gam_chc", "lis_ght", "ris_ght", "labo_ville"
    }  # fmt: skip
    assert any(UNKNOWN_UNIT.encode() in message.payload for message in messages)


def test_a_number_means_the_same_in_another_run(systems, clock):
    """A second `dev.py run` on the same data: one person a number, one person a stay; else false conflicts."""
    of_number, of_stay = {}, {}
    for run in range(3):
        for message in tell(systems, clock, 2500, seed=run, begin_s=1_764_000_000 + run * 3_600):
            fields = {line[:3]: line.split(b"|") for line in message.payload.split(b"\r")}
            if b"PID" not in fields or b"MRG" in fields:
                continue
            pid = fields[b"PID"]
            number, stay = pid[3].split(b"~")[0], pid[18] if len(pid) > 18 else b""
            traits = (pid[7][:8], pid[8])
            assert of_number.setdefault((message.source, number), traits) == traits
            if stay:
                assert of_stay.setdefault((message.source, stay), traits) == traits
    assert len(of_number) > 500
    assert len(of_stay) > 500


def test_control_ids_are_unique(systems, clock):
    """So that a receiver can tell a duplicate."""
    messages = tell(systems, clock, 1500)
    assert len({(message.source, message.control_id) for message in messages}) == len(messages)


def test_the_first_hospital_moves_stays_before_it_merges(systems, clock):
    """CPage sends A44 before its A40; the others after."""
    for source, first in (("gam_cha", "ADT^A44"), ("gam_chb", "ADT^A40")):
        merges = [message.event for message in tell(systems, clock, 2500) if message.source == source]
        merges = [event for event in merges if event in ("ADT^A44", "ADT^A40")]
        assert merges[:2] == sorted(("ADT^A44", "ADT^A40"), reverse=first == "ADT^A44")


def test_a_patient_is_known_before_anything_moves(systems, clock):
    """The first message of every number at a hospital is its A28."""
    seen = set()
    for message in tell(systems, clock, 3000):
        if message.source.startswith("gam_") and message.patient not in seen:
            assert message.event == "ADT^A28"
            seen.add(message.patient)


def test_patients_go_from_one_hospital_to_another(systems, clock):
    """The same birth name, date and INS under two hospitals' numbers."""
    sites = {}
    for message in tell(systems, clock, 3000):
        text = message.payload.decode("utf-8", "replace")
        if message.event == "ADT^A28" and "^INS" in text:
            ins = text.split("^^^ASIP-SANTE-INS-NIR")[0].rpartition("~")[2]
            sites.setdefault(ins, set()).add(message.site)
    assert any(len(where) > 1 for where in sites.values())


def test_the_delivered_routes_take_all_of_it(clock):
    """Every message goes to the DPI with its lanes, stays to the bus, files of the town to the archive; none dies."""
    configuration = load(Path(__file__).resolve().parents[3] / "routes.yaml", environment={})
    references, endings, documents = References(b"k" * 32), Counter(), 0
    for place, message in enumerate(tell(systems_of(configuration, units_of(configuration)), clock, 1200), 1):
        file = message.source == "labo_ville"
        stored = StoredMessage(
            source=message.source, group="main", raw=message.payload, received_ms=1, control_id=message.control_id,
            type=message.event, place=place, format="hprim-sante" if file else "hl7v2",
            attachments=tuple(Attachment(name, "PDF", data) for name, data in message.files),
        )  # fmt: skip
        documents += len(message.files)
        routed = evaluate(configuration, stored, references)
        assert routed.site == message.site
        for one in routed.deliveries:
            assert one.state is DeliveryState.PENDING, (message.source, message.event, one.code, one.reason)
            endings[one.destination] += 1
        to_dpi = routed.deliveries[0]
        assert to_dpi.destination == "dpi"
        assert len(to_dpi.lanes) >= (2 if message.event in ("ADT^A40", "ADT^A44") else 1)
    assert endings["dpi"] > 1200
    assert endings["events"] > 500
    assert endings["archive"] > 5
    assert 0 < documents < endings["archive"]
