"""
Messages of any size, made to be hard: many of everything that a format may have many of, and one of everything huge.

Each shape gives about as many bytes as it is asked for, within the limits of parsers.extent where it must be opened.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

Shape = Callable[[int], bytes]
HEAD: Final = b"MSH|^~\\&|LIS|LABO|DPI|CHA|20260301||ORU^R01^ORU_R01|1|P|2.5|||||FRA|8859/1\r"
PATIENT: Final = b"PID|1||77^^^CHA&1.2.250.1.999.10.1&ISO^PI||DURAND^ZOE||19840312|F\r"
REQUEST: Final = b"OBR|1|P1|F1|CR^Compte rendu^L\r"
FRONT: Final = HEAD + PATIENT + REQUEST
HPRIM: Final = b"H|~^\\&|R.HPR||133002782~LABO||ORU|||CH~CHA||P|H2.3~C|20260301\r\n"
SUBJECT: Final = b"P|1|77|||DURAND~ZOE|DURAND|19840312|F\r\n"
LETTER: Final = (
    b"77\r\nDURAND\r\nZOE\r\n1 RUE X\r\n\r\n01000 ARVIGNY\r\n12/03/1984\r\n\r\n\r\n01/03/2026\r\nLABO\r\nCHA\r\n"
)


def _filled(size: int, front: bytes, piece: bytes, end: bytes = b"") -> bytes:
    return front + piece * max(1, (size - len(front) - len(end)) // len(piece)) + end


def _pdf(size: int) -> bytes:
    return base64.b64encode(b"\x25PDF" * (size * 3 // 16))


HL7: Final[dict[str, Shape]] = {
    "document": lambda size: FRONT + b"OBX|1|ED|CR||^application^pdf^Base64^" + _pdf(size) + b"||||||F\r",
    "accents": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"t\xe9l\xe9phone ", b"||||||F\r"),
    "escapes": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"\\.br\\\\T\\a\\H\\\\XE9\\", b"||||||F\r"),
    "open escapes": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"\\", b"||||||F\r"),
    "switches": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"\\C2D46\\a\\C2842\\", b"||||||F\r"),
    "repetitions": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"a~", b"||||||F\r"),
    "components": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"a^", b"||||||F\r"),
    "subcomponents": lambda size: _filled(size, FRONT + b"OBX|1|TX|CR||", b"a&", b"||||||F\r"),
    "fields": lambda size: _filled(size, FRONT + b"ZZZ", b"|a", b"\r"),
    "results": lambda size: _filled(size, FRONT, b"OBX|1|NM|718-7^Hb^LN||13.2|g/dL|12-16|N|||F|" + b"9" * 500 + b"\r"),
    "notes": lambda size: _filled(size, FRONT, b"NTE|1||commentaire" + b" x" * 250 + b"\r"),
    "requests": lambda size: _filled(size, HEAD + PATIENT, b"OBR|1|P|F|A^B^L\rOBX|1|NM|A||1" + b" " * 1000 + b"\r"),
    "patients": lambda size: _filled(size, HEAD, PATIENT + b"OBR|1|P|F|A\rOBX|1|TX|A||" + b"x" * 1000 + b"\r"),
    "addenda": lambda size: _filled(size, FRONT + b"OBX|1|TX|A||", b"a" * 550 + b"\rADD|", b"\r"),
    "line feeds": lambda size: _filled(size, FRONT.replace(b"\r", b"\n"), b"NTE|1||a" + b" x" * 250 + b"\n"),
    "blank lines": lambda size: _filled(size, FRONT, b"\r\n"),
    "words": lambda size: _filled(size, FRONT, b"no segment, " * 45 + b"\r"),
}  # fmt: skip
BATCHES: Final[dict[str, Shape]] = {
    "batch": lambda size: _filled(size, b"FHS|^~\\&\rBHS|^~\\&\r", HEAD + PATIENT + b"NTE|1||" + b"x" * 1000 + b"\r",
                                  b"BTS|1\rFTS|1\r"),
    "batches": lambda size: _filled(size, b"FHS|^~\\&\r", b"BHS|^~\\&\r" + HEAD + b"NTE|1||" + b"x" * 1000
                                    + b"\rBTS|1\r", b"FTS|1\r"),
    "headers in headers": lambda size: _filled(size, b"", b"FHS|^~\\&\rBHS|^~\\&\r"),
    "parts": lambda size: _filled(size, b"", HEAD[:-1].replace(b"|2.5||", b"|2.5||P") + b"\rNTE|1||" + b"x" * 1000
                                  + b"\rDSC|P|F\r"),
    "open parts": lambda size: b"".join(
        HEAD + b"NTE|1||" + b"x" * 1000 + b"\rDSC|P%d|F\r" % rank for rank in range(size // 1100)),
}  # fmt: skip
SANTE: Final[dict[str, Shape]] = {
    "addenda": lambda size: _filled(size, HPRIM + SUBJECT + b"OBR|1|S|R|A~B\r\nOBX|1|TX|A~B||", b"x" * 200 + b"\r\nA|",
                                    b"\r\n"),
    "results": lambda size: _filled(size, HPRIM + SUBJECT + b"OBR|1|S~P|S~R|A~B\r\n",
                                    b"OBX|1|NM|GLU~Glucose~L||5,2|mmol/l|3 - 6|N|||F" + b" " * 60 + b"\r\n"),
    "comments": lambda size: _filled(size, HPRIM + SUBJECT + b"OBR|1|S|R|A~B\r\n", b"C|1|L|" + b"x" * 120 + b"\r\n"),
    "patients": lambda size: _filled(size, HPRIM, SUBJECT + b"OBR|1|S|R|A\r\nOBX|1|TX|A||" + b"x" * 160 + b"\r\n"),
    "analyses": lambda size: _filled(size, HPRIM + SUBJECT, b"OBR|1|S|R|" + b"A~B^" * 40 + b"\r\n"),
    "words": lambda size: _filled(size, HPRIM + SUBJECT, b"no segment, " * 15 + b"\r\n"),
}  # fmt: skip
MEDECIN: Final[dict[str, Shape]] = {
    "text": lambda size: _filled(size, LETTER, b"Cher confrere, " * 7 + b"\r\n", b"****FIN****\r\n"),
    "results": lambda size: _filled(size, LETTER + b"****LAB****\r\n",
                                    b"RES|Glucose|GLU|N|5.2|mmol/l|3|6|N|F" + b" " * 70 + b"\r\n", b"****FIN****\r\n"),
    "letters": lambda size: _filled(size, b"", LETTER + b"x" * 1000 + b"\r\n****FIN****\r\n"),
    "stars": lambda size: _filled(size, LETTER, b"*" * 110 + b"\r\n", b"****FIN****\r\n"),
}  # fmt: skip
