"""Masked bodies hold no patient value, whatever the message looks like."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.references import References
from engine.operations.masking import Masking, decode, known_words, mask, revealed, separators_of
from engine.operations.pseudonyms import Pseudonyms
from tests.support.custody import BODY, SECRETS, body, configuration

PSEUDONYMS = Pseudonyms(References(b"k" * 32))
MASKING = Masking(PSEUDONYMS, known_words(configuration()))
HEADER = "MSH|^~\\&|GAM|CHA|DPI|GHT|20231114100000||ADT^A01|C1|P|2.5\r"


def test_no_secret_survives_in_either_form() -> None:
    """Neither the list of segments nor the text holds a name, a number, an address."""
    shown = json.dumps(MASKING.segments(body(1)), ensure_ascii=False) + MASKING.text(body(1))
    assert not [secret for secret in SECRETS if secret in shown]
    assert "xxxxxxxx^xxxxxxxx" in shown


def test_what_operators_need_stays() -> None:
    """Header, event, structure, the authority of an identifier, its pseudonym."""
    text = MASKING.text(body(1))
    assert "|ADT^A01^ADT_A01|C1|P|2.5|" in text
    assert "EVN|A01|20231114100000" in text
    assert re.search(r"PID\|1\|\|P\.[0-9A-Z]{4}-[0-9A-Z]{4}\^\^\^CHA-IPP&1\.2\.250\.1\.999\.10\.1&ISO\^PI", text)
    assert "\nPV1|1|I|xxxx^99^9" in text


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=("Cs",))), max_size=30))
def test_no_letter_or_digit_of_a_pid_value_survives(values: list[str]) -> None:
    """Whatever stands in PID-2 and after, in any script: nothing of it is seen, in components and subcomponents too."""
    without_pseudonyms = Masking(None, frozenset())
    line = "PID|1|" + "|".join(values)
    shown = without_pseudonyms.text((HEADER + line + "\r").encode())
    shown_line = next((one for one in shown.split("\n") if one.startswith("PID|")), "PID|1|")
    rest = shown_line.removeprefix("PID|1|")
    rest = re.sub(r"… \([\d,]+ characters\)", "", rest)
    assert set(rest) <= set(" \t\x0b\x0c!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~x9"), rest


@given(st.binary(max_size=400))
def test_masking_never_fails(raw: bytes) -> None:
    """Any bytes can be shown, in any format."""
    for fmt in ("hl7v2", "hprim-sante", "hprim-medecin", "unknown"):
        MASKING.text(raw, fmt)
        MASKING.segments(raw, fmt, faults=["PID-3"])


@pytest.mark.parametrize(
    "raw",
    [
        "ZUBROWKA|Théodule|19770419",
        HEADER + "ZUBROWKA Théodule 19770419\rPID|1||x\r",
        HEADER.rstrip("\r") + "||||||8859/1PID|1||990077123^^^X^PI||ZUBROWKA^Théodule||19770419\r",
        HEADER + "PID|ZUBROWKA|990077123|Théodule^19770419\r",
        HEADER + "PV1|ZUBROWKA|Théodule|19770419\r",
        HEADER + "OBX|19770419990077123|ZUBROWKA|Théodule\r",
        HEADER + "MSA|AE|C1|patient ZUBROWKA unknown\rERR|||102|E||||Théodule 19770419\r",
        "MSH|ZUBROWKA|Théodule\rPID|1||990077123\r",
        HEADER + "PID|1||12^^^ZUBROWKA&990077123&Théodule^19770419\r",
    ],
    ids=["no header", "a broken line", "a lost segment end", "shifted PID", "shifted PV1", "shifted OBX", "ack texts",
         "a name as delimiters", "a name as authority"],
)  # fmt: skip
def test_broken_messages_show_nothing_either(raw: str) -> None:
    """A value that slipped into a field that is usually shown is masked."""
    shown = MASKING.text(raw.encode()) + json.dumps(MASKING.segments(raw.encode()), ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in shown]


def test_hprim_is_masked_but_its_header() -> None:
    """H-2, context and version stay; P-2 becomes a pseudonym; names and phones are masked."""
    raw = b"H|~^\\&|F1.HPR|pw|LABO ZUBROWKA||ADM|||||P|H2.1^C|20231114\rP|1|990077123||ZUBROWKA~THEODULE||19770419\r"
    text = MASKING.text(raw, "hprim-sante")
    assert text.startswith("H|~^\\&|F1.HPR|xx|xxxx xxxxxxxx||ADM|||||P|H2.1^C|20231114\nP|9|P.")
    assert not [secret for secret in SECRETS if secret in text]
    assert "ZUBROWKA" not in MASKING.text(b"ZUBROWKA\r\n990077123", "hprim-medecin")


def test_the_faulty_field_is_marked() -> None:
    """The path of a finding marks its field, even an empty one; the selector in the path doesn't matter."""
    segments = MASKING.segments(body(1), faults=["PID-3[@ipp].1", "PV1-7"])
    marked = [
        (segment["segment"], field["n"]) for segment in segments for field in segment["fields"] if field.get("fault")
    ]
    assert marked == [("PID", 3), ("PV1", 7)]


def test_revealed_shows_all() -> None:
    """With a reason, values are there; the caller has audited it."""
    shown = json.dumps(revealed(body(1)), ensure_ascii=False)
    assert all(secret in shown for secret in SECRETS)


def test_bytes_of_any_charset_are_decoded() -> None:
    """cp1252 shows its accents, and no byte makes decoding fail."""
    assert decode("é".encode()) == decode("é".encode("cp1252")) == "é"
    assert mask("Éa1²ß-ⅷ") == "xx99x-9"
    assert "{n}" in BODY


def test_a_field_by_itself():
    """As within its message; an unknown segment, a format without delimiters and whole segments are masked too."""
    masking = Masking(None)
    separators = separators_of(BODY.encode(), "hl7v2")
    assert masking.field("MSH", 3, "GAM", separators) == "GAM"
    assert masking.field("PID", 5, "ZUBROWKA^Théodule", separators) == "xxxxxxxx^xxxxxxxx"
    assert masking.field("PV1", 0, "PV1|1|I|CARD", separators) == "PV1|1|I|xxxx"
    assert masking.field("QQQ", 3, "GAM", separators) == "xxx"
    assert masking.field("MSH", 3, "GAM", None) == "xxx"
    assert masking.field("MSH", 3, "", separators) == ""
