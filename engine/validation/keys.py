"""Check digits in a message: INS in PID-3, FINESS in assigning authorities."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.parsers.hl7v2.message import Message
from engine.validation.digits import INS, INS_TEST, finess_key_is_right, ins_key_is_right
from engine.validation.findings import Place
from engine.validation.report import Report

_INS_ARC: Final = b"1.2.250.1.213.1.4."
_IDENTIFIERS: Final = ((b"PID", 3), (b"PID", 18), (b"PV1", 19), (b"MRG", 1))


def check_keys(keys: Collection[str], message: Message, report: Report) -> None:
    """
    Look at check digits.

    Args:
        keys: `ins`, `finess`: which ones.
        message: The message.
        report: Takes the findings.
    """
    marks = message.delimiters
    local = [marks.subcomponent + kind for kind in (b"M", b"N")] if "finess" in keys else []
    for code, number in _IDENTIFIERS:
        for position in message.positions(code):
            data = message.peek(position).field(number)
            if data.find(_INS_ARC) < 0 and all(data.find(one) < 0 for one in local):
                continue
            repetitions = marks.repetitions(data)
            for rank, repetition in enumerate(repetitions, 1):
                components = marks.components(repetition)
                if len(components) < 4 or not components[3]:
                    continue
                authority = [one.decode("latin-1") for one in marks.subcomponents(components[3])]
                place = Place(position, number, rank)
                if "ins" in keys and len(authority) > 1 and authority[1] in INS:
                    value, type_ = components[0].decode("latin-1"), components[4:5]
                    _check_ins(value, type_ == [b"INS"], authority[1], place, report, repeated=len(repetitions) > 1)
                if "finess" in keys and len(authority) > 2 and authority[2] in ("M", "N"):
                    _check_finess(authority[1], place, report, repeated=len(repetitions) > 1)


def _check_ins(value: str, identity: bool, oid: str, place: Place, report: Report, *, repeated: bool) -> None:
    if not identity:
        return  # the insurance number for billing has the same authority
    if oid in INS_TEST:
        sentence = "its authority is that of test identities, which must not reach production"
        report.add("ins-test", place._replace(component=4), sentence, repeated=repeated)
    if value not in ("", '""') and not ins_key_is_right(value):
        sentence = "13 characters and a key of two digits are expected, and the key is another"
        report.add("ins-key", place._replace(component=1), sentence, repeated=repeated)


def _check_finess(value: str, place: Place, report: Report, *, repeated: bool) -> None:
    if value and not finess_key_is_right(value):
        sentence = "this is no FINESS: nine characters whose check digit is right"
        report.add("finess-key", place._replace(component=4, subcomponent=2), sentence, repeated=repeated)
