"""Orders and reports of the shared radiology."""

from engine.simulation.gam import Gam
from engine.simulation.patients import Population
from engine.simulation.ris import REPORT, Ris
from engine.simulation.systems import Sequence


def test_an_order_and_its_report_carry_the_same_numbers(systems, clock):
    """ORC-2 and ORC-3 of ORM and ORU agree; the report is UTF-8, with its accents."""
    hospital = systems.hospitals[1]
    stay = Gam(hospital, Sequence("t"), clock).new_stay(Population(1).person(3), "1000003", "4021", "O")
    ris = Ris(systems.radiologies[""], Sequence("R"), clock)
    ordered, reported = ris.order(hospital, stay, "9", 1), ris.report(hospital, stay, "9", 1)
    orc = [next(line for line in message.payload.decode().split("\r") if line.startswith("ORC")).split("|")
           for message in (ordered, reported)]  # fmt: skip
    assert orc[0][2:4] == orc[1][2:4]
    assert (ordered.event, reported.event) == ("ORM^O01", "ORU^R01")
    assert REPORT[1].split("(")[0] in reported.payload.decode()
    assert "1000003^^^&1.2.250.1.999.20.1&ISO^RI" in reported.payload.decode()
    assert ordered.payload.split(b"|")[3] == b"CHB^010782062^N"
