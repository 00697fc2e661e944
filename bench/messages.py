"""The messages sent: an admission of about 1 KB, as French systems write it; nobody in it exists."""

from __future__ import annotations

from typing import Final

SITE_OID: Final = "1.2.250.1.999.10.1"
"""The authority that bench/routes.yaml declares."""
UNIT: Final = "4021"
"""The code that bench/tables/units.csv maps."""

_ADMISSION: Final = (
    "MSH|^~\\&|GAM|CH_BENCH|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|@ID@|P|2.5^FRA^2.11|||||FRA"
    "|UNICODE UTF-8|FR\r"
    "EVN||20260102030405|||MARTIN^SOPHIE^^^^^^^CH_BENCH|20260102030000\r"
    f"PID|1||@IPP@^^^GAM&{SITE_OID}&ISO^PI~585079999900110^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS"
    "||@NAME@^HÉLÈNE^HÉLÈNE MARIE THÉRÈSE^^Mme^^L~DUBOIS^HÉLÈNE^^^Mme^^D||19850712|F|||12 RUE DE L'ÉGLISE^APT 4"
    "^ARVIGNY^^01000^FRA^H||0199900066^PRN^PH~0699900066^PRN^CP|||M||N@IPP@^^^GAM&1.2.250.1.999.12.1&ISO^AN"
    "||||01999|||FRA|||||N||VALI\r"
    "PD1|||CABINET DU PARC^^12345|10009999901^BERNARD^LUC^^^DR^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS\r"
    "NK1|1|LEFÈVRE^PAUL|SPO^Conjoint^HL70063|12 RUE DE L'ÉGLISE^^ARVIGNY^^01000^FRA|0199900066\r"
    f"PV1|1|I|{UNIT}^201^1^CH_BENCH^^^^BAT A|R|||10009999902^PETIT^ANNE^^^DR^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO"
    "^L^^^RPPS|||CAR||||1|||10009999902^PETIT^ANNE|IP|V@IPP@^^^GAM&1.2.250.1.999.12.1&ISO^VN"
    "|||||||||||||||||||||||||20260102030000\r"
    "PV2|||^DOULEUR THORACIQUE||||20260102|20260106\r"
    f"ZBE|M@IPP@|20260102030000||INSERT|N||^^^^^^UF^^^{UNIT}|^^^^^^UF^^^{UNIT}|HMS\r"
)


_LETTERS: Final = bytes.maketrans(b"0123456789", b"AEIOUBCDFG")
"""No two patients have one name: equal strict traits would be a pair for a person to look at."""


class Admissions:
    """Builds framed messages fast: fixed parts with the control id and the IPP between them."""

    def __init__(self, patients: int) -> None:
        """Keep how many patients the messages belong to; few of them exercise the lanes."""
        self._patients = patients
        self._head, rest = (part.encode() for part in _ADMISSION.split("@ID@"))
        self._rest, self._behind = (part.split(b"@IPP@") for part in rest.split(b"@NAME@"))

    def framed(self, control_id: bytes, number: int) -> bytes:
        """Return one block: the message between VT and FS CR."""
        rank = number % self._patients
        ipp = b"%08d" % (10_000_000 + rank)
        name = b"LEF%07d" % rank
        return b"".join(
            (b"\x0b", self._head, control_id, ipp.join(self._rest), name.translate(_LETTERS), ipp.join(self._behind),
             b"\x1c\r")
        )  # fmt: skip
