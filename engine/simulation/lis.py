"""
Laboratories: the one that the hospitals share, and one in town.

The first sends ORU^R01 with the hospital in MSH-4, the second drops HPRIM Santé files.
"""

from __future__ import annotations

import random
from typing import Final

from engine.routes.configuration import Site, Source
from engine.simulation.gam import DOCTOR, Stay
from engine.simulation.patients import Person, hl7_date
from engine.simulation.systems import Clock, Hospital, Sequence
from engine.simulation.writing import Outgoing, escaped, message_bytes, segment, stamp, traits

ANALYSES: Final = (
    ("718-7", "Hémoglobine", "g/dL", 12.0, 16.0), ("2951-2", "Sodium", "mmol/L", 136.0, 145.0),
    ("2823-3", "Potassium", "mmol/L", 3.5, 5.1), ("2160-0", "Créatinine", "umol/L", 45.0, 84.0),
    ("3094-0", "Urée", "mmol/L", 2.5, 7.5), ("1988-5", "Protéine C réactive", "mg/L", 0.0, 5.0),
    ("777-3", "Plaquettes", "10*9/L", 150.0, 400.0), ("2345-7", "Glucose", "mmol/L", 3.9, 5.8),
)  # fmt: skip
"""LOINC code, name, unit, normal range."""
DOCUMENTS: Final = 0.4
"""Share of the town laboratory's files that name a document beside them."""
PDF: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
"""A document of one empty page."""


class Lis:
    """The shared laboratory: results of any hospital's patients, under that hospital's identifiers."""

    def __init__(self, source: Source, sequence: Sequence, clock: Clock) -> None:
        """Send as `source`."""
        self.source = source
        self._sequence = sequence
        self._clock = clock

    def results(self, hospital: Hospital, stay: Stay, order: str, chance: random.Random, status: str) -> Outgoing:
        """
        Results of one order.

        Args:
            hospital: Where the patient is: MSH-4 says it by FINESS.
            stay: Its IPP and NDA are those at the moment of the order.
            order: Number of the order (OBR-2, OBR-3).
            chance: Draws the values.
            status: OBR-25: P preliminary, F final, C corrected.
        """
        analyses = chance.sample(ANALYSES, k=chance.randrange(2, len(ANALYSES) + 1))
        segments = [
            segment("PID", {1: "1", 3: hospital.identifier("ipp", stay.ipp), **traits(stay.person),
                            18: hospital.identifier("nda", stay.nda)}),
            segment("PV1", {1: "1", 2: stay.patient_class, 3: f"{stay.unit}^{stay.bed}^1"}),
            segment("ORC", {1: "RE", 2: f"D{order}^DPI", 3: f"E{order}^SIL", 5: "CM" if status != "P" else "IP"}),
            segment("OBR", {1: "1", 2: f"D{order}^DPI", 3: f"E{order}^SIL", 4: "BIO^Bilan biologique^L",
                            7: stamp(self._clock()), 16: DOCTOR, 22: stamp(self._clock()), 24: "CH", 25: status}),
            *(_obx(rank, analysis, chance, status) for rank, analysis in enumerate(analyses, 1)),
            segment("NTE", {1: "1", 3: escaped("Résultats validés. Contrôle à 48 h si fièvre & frissons persistent.")}),
        ]  # fmt: skip
        control_id = self._sequence.next()
        header = segment(
            "MSH",
            {
                3: "SIL", 4: site_of_message(hospital.site), 5: "PASSERELLE", 6: "GHT", 7: stamp(self._clock()),
                9: "ORU^R01^ORU_R01", 10: control_id, 11: "P", 12: "2.5^FRA^2.11", 17: "FRA", 18: "8859/1", 19: "FR",
            },
        )  # fmt: skip
        payload = message_bytes([header, *segments], codec="cp1252", end="\r")
        name = hospital.site.name
        return Outgoing(self.source.name, control_id, "ORU^R01", payload, name, f"{name}/{stay.ipp}")


def _obx(rank: int, analysis: tuple[str, str, str, float, float], chance: random.Random, status: str) -> str:
    code, name, unit, low, high = analysis
    value = low + (high - low) * chance.uniform(-0.2, 1.2)
    flag = "L" if value < low else "H" if value > high else "N"
    return segment(
        "OBX",
        {
            1: str(rank), 2: "NM", 3: f"{code}^{escaped(name)}^LN", 5: f"{max(value, 0):.1f}", 6: unit,
            7: f"{low:g}-{high:g}", 8: flag, 11: status,
        },
    )  # fmt: skip


def site_of_message(site: Site) -> str:
    """MSH-4 of a shared system: a name and the geographic FINESS (HD-3 `N`)."""
    return f"{site.name.upper()}^{site.finess_eg or site.finess_ej}^N"


class TownLaboratory:
    """
    A private laboratory that sends HPRIM Santé files, in CP1252 with long lines cut.

    Some name a document, where the engine's source takes such.
    """

    def __init__(self, source: Source, sequence: Sequence, clock: Clock) -> None:
        """Write for the directory of `source`."""
        self.source = source
        self._sequence = sequence
        self._clock = clock

    def results(self, hospital: Hospital, person: Person, ipp: str, chance: random.Random) -> Outgoing:
        """One file of results for a hospital's patient, and perhaps its document; the control id is its name."""
        name = f"{self._sequence.next()}.hpr"
        now = stamp(self._clock())[:12]
        to = f"{hospital.site.finess_eg}~{hospital.site.name.upper()}"
        lines = [
            (f"H|~^\\&|{name}||LABV~LABORATOIRE DE VILLE||ORU|||{to}||P|H2.2~C|{now}"),
            (
                f"P|1|{ipp}|L{person.number}||{person.usual_name or person.birth_name}~{person.given[0]}"
                f"|{person.birth_name}|{hl7_date(person.born)}|{person.sex}"
            ),
            f"OBR|1|{person.number}|{person.number}~{self._sequence.last}|BIO~Bilan~L||{now}|{now}",
        ]
        for rank, (code, label, unit, low, high) in enumerate(chance.sample(ANALYSES, k=3), 1):
            value = f"{chance.uniform(low, high):.1f}"
            lines.append(f"OBX|{rank}|NM|{code}~{label}~L||{value}|{unit}|{low:g}-{high:g}|N|||F")
        files: tuple[tuple[str, bytes], ...] = ()
        if self.source.attachments is not None and chance.random() < DOCUMENTS:
            document = f"{name.removesuffix('.hpr')}.PDF".upper()
            lines.append(f"OBX|{len(lines) - 2}|FIC|CR~Compte rendu~L||~{document}~PDF")
            files = ((document, PDF),)
        lines.append(f"L|1|1|{len(lines) + 1}")
        payload = message_bytes(_cut(lines), codec="cp1252", end="\r\n")
        site = hospital.site.name
        return Outgoing(self.source.name, name, "ORU", payload, site, f"{site}/{ipp}", files)


def _cut(lines: list[str], limit: int = 210) -> list[str]:
    """Cut lines after `limit` characters; what follows stands on lines that begin with `A|`."""
    out = []
    for line in lines:
        out.append(line[:limit])
        out += [f"A|{line[begin : begin + limit - 2]}" for begin in range(limit, len(line), limit - 2)]
    return out
