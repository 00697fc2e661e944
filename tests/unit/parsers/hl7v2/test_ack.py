"""Acknowledgements, both ways."""

from __future__ import annotations

import pytest

from engine.core.ack import Answer, AnswerError
from engine.errors import ParseError
from engine.parsers.hl7v2.ack import NO_HEADER, build_ack, error_of, read_ack
from engine.parsers.hl7v2.header import read_header
from engine.parsers.hprim import read_header as read_hprim_header

NOON = 1767268800000
MISSING = AnswerError("101", "", "MSH-10", "E", "il manque | le numéro")


def ack(request: str, error: AnswerError | None = None, text: str = "", codec: str = "utf-8", code: str = "AA") -> str:
    header = read_header(request.encode(codec))
    return build_ack(header, code=code, now_ms=NOON, ack_id="K1", text=text, error=error).decode(codec)


def test_accept() -> None:
    """Parties swapped; MSH-11, MSH-12 and MSH-18 as in the request; MSA-2 is its MSH-10."""
    request = "MSH|^~\\&|GAM|CHA^1&2|DPI|GHT|2026||ADT^A01^ADT_A01|42|T|2.5^FRA^2.11|||AL|AL|FRA|8859/1\rPID|"
    assert ack(request) == (
        "MSH|^~\\&|DPI|GHT|GAM|CHA^1&2|20260101120000||ACK^A01^ACK|K1|T|2.5^FRA^2.11||||||8859/1\rMSA|AA|42\r"
    )


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("2.5", "ADT^A01", "ACK^A01^ACK"),
        ("2.3.1", "ADT^A01", "ACK^A01^ACK"),
        ("2.3", "ADT^A01", "ACK^A01"),
        ("2.2", "ADT", "ACK"),
        ("", "ADT^A01", "ACK^A01^ACK"),
        ("9.9", "ADT^A01", "ACK^A01^ACK"),
        ("x", "ADT^A01", "ACK^A01^ACK"),
    ],
)
def test_type_by_version(version: str, kind: str, expected: str) -> None:
    """Three components since 2.3.1."""
    assert f"||{expected}|K1|P|" in ack(f"MSH|^~\\&|||||||{kind}|1||{version}")


def test_error_since_2_5() -> None:
    """ERR-2, ERR-3, ERR-4, ERR-8; our words escaped, in the request's charset."""
    written = ack("MSH|^~\\&|||||||ADT^A01||P|2.5||||||8859/1", MISSING, "refusé", "cp1252", "AE")
    assert written.endswith(
        "\rMSA|AE||refusé\rERR||MSH^1^10|101^Required field missing^HL70357|E||||il manque \\F\\ le numéro\r"
    )


def test_error_before_2_5() -> None:
    """ERR-1 with four components; ASCII where the request says nothing else."""
    written = ack("MSH|^~\\&|||||||ADT^A01||P|2.3", MISSING, "refusé", code="AE")
    assert written.endswith("\rMSA|AE||refuse\rERR|MSH^1^10^101&Required field missing&HL70357\r")


def test_the_sender_s_delimiters() -> None:
    """Also without an escape character: what would be a delimiter becomes a blank."""
    assert ack("MSH$%*!@$A$B$C$D$$$ADT%A01$7$P$2.5").startswith(
        "MSH$%*!@$C$D$A$B$20260101120000$$ACK%A01%ACK$K1$P$2.5\rMSA$AA$7\r"
    )
    assert ack("MSH|^|A||||||ADT^A01|7|P|2.5", None, "a|b^c").endswith("\rMSA|AA|7|a b c\r")


def test_what_could_not_be_read_is_answered() -> None:
    """With the standard delimiters, and the reason."""
    with pytest.raises(ParseError) as refused:
        read_header(b"junk")
    written = build_ack(NO_HEADER, code="AR", now_ms=NOON, ack_id="K1", error=error_of(refused.value))
    answer = read_ack(written)
    assert (answer.code, answer.control_id, answer.errors[0].location, answer.errors[0].code) == (
        "AR",
        "",
        "MSH^1",
        "100",
    )


def test_hprim_is_answered_in_hl7() -> None:
    """With the file's name in MSA-2."""
    header = read_hprim_header(b"H|~^\\&|F1.HPR||LAB||ORU|||||P|H2.2~C\r")
    assert build_ack(header, code="AA", now_ms=NOON, ack_id="K1").endswith(b"|ACK|K1|P|\rMSA|AA|F1.HPR\r")


def test_local_time() -> None:
    """MSH-7 is the listener's local time."""
    header = read_header(b"MSH|^~\\&|A")
    written = build_ack(header, code="AA", now_ms=NOON, ack_id="1", utc_offset_s=3600)
    assert b"|20260101130000|" in written


HEAD = b"MSH|^~\\&|DPI|||GAM|2026||ACK|9|P|2.5\r"


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (HEAD + b"MSA|AA|42\r", Answer("AA", "42")),
        (b"\r\n" + HEAD.replace(b"\r", b"\n") + b"MSA|AA|42", Answer("AA", "42")),
        (
            HEAD + b"MSA|AE|42|lock\rERR|||207^Application internal error^HL70397^^dossier pris|E\r",
            Answer("AE", "42", "lock", [AnswerError("207", "Application internal error", "", "E", "dossier pris")]),
        ),
        (
            HEAD + b"MSA|AR|42\rERR|MSH^1^12^203&Unsupported version&HL70357~PID^1^3^101\r",
            Answer(
                "AR",
                "42",
                "",
                [AnswerError("203", "Unsupported version", "MSH^1^12"), AnswerError("101", "", "PID^1^3")],
            ),
        ),
        (
            HEAD + b"MSA|AE|42\rERR||PID^1^3|204^Unknown key^HL70357|E||||inconnu\rERR||PV1^1|0|I\r",
            Answer(
                "AE",
                "42",
                "",
                [AnswerError("204", "Unknown key", "PID^1^3", "E", "inconnu"), AnswerError("0", "", "PV1^1", "I")],
            ),
        ),
        (HEAD + b"MSA|AA|42\rERR|\r", Answer("AA", "42")),
        (HEAD + b"MSA|AE|42|refus\xe9 \\F\\\r", Answer("AE", "42", "refusé |")),
        (HEAD + b"MSA\r", Answer("", "")),
        (
            b"MSH$%~\\&$A\rMSA$AA$7\rERR$$PID%1$101%x$E\r",
            Answer("AA", "7", "", [AnswerError("101", "x", "PID^1", "E")]),
        ),
    ],
)
def test_reading(raw: bytes, answer: Answer) -> None:
    """The form of 2.5, the older one, and CPage's."""
    assert read_ack(raw) == answer


@pytest.mark.parametrize("raw", [b"", b"OK", HEAD, b"<html>", b"MSA|AA|1\r"])
def test_what_is_no_acknowledgement(raw: bytes) -> None:
    """It is told apart from one that refuses."""
    with pytest.raises(ParseError):
        read_ack(raw)
