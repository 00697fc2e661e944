"""Messages as plain values."""

from __future__ import annotations

from engine.conversion.as_json import as_json
from engine.parsers import open_message


def test_hl7() -> None:
    """Every field a list of repetitions, each a list of components; subcomponents are lists again."""
    raw = b'MSH|^~\\&|A|||||||7|P|2.5\rPID|1||77^^^A&1.2&ISO^PI~""||a\\F\\b\rcut text\r'
    assert as_json(open_message(raw)) == {
        "format": "hl7v2", "type": "", "control_id": "7", "version": "2.5", "findings": [],
        "segments": [
            {"segment": "MSH", "fields": {"1": [["|"]], "2": [["^~\\&"]], "3": [["A"]], "10": [["7"]], "11": [["P"]],
                                          "12": [["2.5"]]}},
            {"segment": "PID", "fields": {"1": [["1"]], "3": [["77", "", "", ["A", "1.2", "ISO"], "PI"], ['""']],
                                          "5": [["a|b"]]}},
            {"segment": "", "fields": {"1": [["cut text"]]}},
        ],
    }  # fmt: skip


def test_hprim() -> None:
    """By the same numbers as paths."""
    values = as_json(open_message(b"H|~^\\&|F|||ORU\r\nP|1|a~b\r\nA|^c\r\n"))
    assert values["segments"][1] == {"segment": "P", "fields": {"1": [["1"]], "2": [["a", "b"], ["c"]]}}
    assert values["segments"][0]["fields"]["1"] == [["~^\\&"]]


def test_letters() -> None:
    """Header lines, text, results."""
    values = as_json(open_message(b"1\r\nMARTIN\r\n****FIN****\r\nlost\r\n"))
    assert values["format"] == "hprim-medecin"
    assert values["segments"] == [
        {"segment": "ENT", "fields": {"1": [["1"]], "2": [["MARTIN"]]}},
        {"segment": "", "fields": {"1": [["lost"]]}},
    ]
