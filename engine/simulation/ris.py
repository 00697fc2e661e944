"""
The radiology that the hospitals share: ORM^O01 when an examination is planned, ORU^R01 with its report.

It writes UTF-8 under MSH-18 `UNICODE UTF-8`, tells the hospital by MSH-4 as the LIS does, and gives of an
authority only its OID, with the type `RI` of older products.
"""

from __future__ import annotations

from typing import Final

from engine.routes.configuration import Source
from engine.simulation.gam import DOCTOR, Stay
from engine.simulation.lis import site_of_message
from engine.simulation.systems import Clock, Hospital, Sequence, old_spelling
from engine.simulation.writing import Outgoing, escaped, message_bytes, segment, stamp, traits

EXAMINATIONS: Final = (
    ("ZBQK002", "Radiographie du thorax"), ("ACQN001", "Scanographie du crâne"), ("LJQK002", "Échographie du rein")
)  # fmt: skip
REPORT: Final = (
    "Indication : douleur thoracique, fièvre à 39 °C.",
    "Résultat : pas d'anomalie pleurale ; cœur de taille normale (index < 0,5).",
    "Conclusion : examen sans particularité.",
)


class Ris:
    """The shared radiology."""

    def __init__(self, source: Source, sequence: Sequence, clock: Clock) -> None:
        """Send as `source`."""
        self.source = source
        self._sequence = sequence
        self._clock = clock

    def order(self, hospital: Hospital, stay: Stay, order: str, rank: int) -> Outgoing:
        """ORM^O01: an examination is planned."""
        return self._message("ORM^O01^ORM_O01", hospital, stay, self._request(order, rank, "SC", ""))

    def report(self, hospital: Hospital, stay: Stay, order: str, rank: int) -> Outgoing:
        """ORU^R01: the report of an examination, a line an OBX."""
        lines = [
            segment("OBX", {1: str(number), 2: "TX", 3: "18782-3^Compte rendu^LN", 5: escaped(line), 11: "F"})
            for number, line in enumerate(REPORT, 1)
        ]
        return self._message("ORU^R01^ORU_R01", hospital, stay, [*self._request(order, rank, "CM", "F"), *lines])

    def _request(self, order: str, rank: int, status: str, result: str) -> list[str]:
        code, name = EXAMINATIONS[rank % len(EXAMINATIONS)]
        common = {2: f"D{order}^DPI", 3: f"E{order}^RIS"}
        return [
            segment("ORC", {1: "RE" if result else "NW", **common, 5: status}),
            segment("OBR", {1: "1", **common, 4: f"{code}^{escaped(name)}^CCAM", 16: DOCTOR, 24: "RAD", 25: result}),
        ]

    def _message(self, type_of: str, hospital: Hospital, stay: Stay, segments: list[str]) -> Outgoing:
        control_id, site = self._sequence.next(), hospital.site
        authority = site.authorities.get("ipp")
        ipp = hospital.identifier("ipp", stay.ipp) if authority is None else old_spelling(authority, stay.ipp)
        header = segment(
            "MSH",
            {
                3: "RIS", 4: site_of_message(site), 5: "PASSERELLE", 6: "GHT", 7: stamp(self._clock()), 9: type_of,
                10: control_id, 11: "P", 12: "2.5", 17: "FRA", 18: "UNICODE UTF-8", 19: "FR",
            },
        )  # fmt: skip
        who = segment("PID", {1: "1", 3: ipp, **traits(stay.person), 18: hospital.identifier("nda", stay.nda)})
        where = segment("PV1", {1: "1", 2: stay.patient_class, 3: f"{stay.unit}^{stay.bed}^1"})
        payload = message_bytes([header, who, where, *segments], codec="utf-8", end="\r")
        event = "^".join(type_of.split("^")[:2])
        return Outgoing(self.source.name, control_id, event, payload, site.name, f"{site.name}/{stay.ipp}")
