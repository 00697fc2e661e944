"""`passerelle msg` and `refusals`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.custody import SECRETS, body


def test_find_by_what_stands_on_the_command_line(passerelle, live) -> None:
    """Control id, state, source: no patient value."""
    assert "C2" in passerelle("msg", "find", "--control-id", "C2").stdout
    rows = [json.loads(line) for line in passerelle("msg", "find", "--state", "dead", "--json").stdout.splitlines()]
    assert [row["id"] for row in rows] == ["5", "4", "3"]
    assert passerelle("msg", "find", "--since", "2100-01-01").stdout == "no message\n"
    assert passerelle("msg", "find", "--limit", "1").stderr == "more: add --before 6\n"


def test_identifiers_come_from_stdin(passerelle, live) -> None:
    """Never from the command line: history and process lists show it. They are not printed either."""
    shown = passerelle("msg", "find", "--ipp", "--json", input="990077123\n")
    assert [json.loads(line)["id"] for line in shown.stdout.splitlines()] == ["1"]
    assert "990077123" not in shown.output
    assert passerelle("msg", "find", "--key", "ipp", input="1\n").stdout == "no message\n"
    assert passerelle("msg", "find", "--ipp", "990077123").exit_code == 2


def test_identifiers_are_asked_for_hidden(passerelle, live, monkeypatch) -> None:
    """On a terminal, without echo."""
    monkeypatch.setattr("engine.cli.asking.interactive", lambda: True)
    shown = passerelle("msg", "find", "--ipp", input="990077123\n")
    assert "IPP: " in shown.stderr
    assert "990077123" not in shown.output


def test_show_is_masked_and_marks_the_fault(passerelle, live) -> None:
    """The mark needs no colour."""
    shown = passerelle("msg", "show", "3")
    assert "> PID-7    99999999" in shown.stdout.splitlines()
    assert "  MSH-9    ADT^A01^ADT_A01" in shown.stdout.splitlines()
    assert not [secret for secret in SECRETS if secret in shown.output]


def test_raw_reveals_the_very_bytes_with_a_reason(passerelle, live) -> None:
    """Masked text otherwise; without a reason nothing."""
    masked = passerelle("msg", "raw", "3")
    assert masked.stdout.startswith("MSH|^~\\&|GAM|CHA|")
    assert "ZUBROWKA" not in masked.output
    assert passerelle("msg", "raw", "3", "--reveal").exit_code == 2
    shown = passerelle("msg", "raw", "3", "--reveal", "--reason", "ticket 12")
    assert shown.stdout_bytes == body(3)
    assert "ticket 12" in passerelle("audit").stdout


@pytest.mark.parametrize("command", ["show", "raw"])
def test_the_own_part_of_a_message_that_has_none(passerelle, live, command) -> None:
    """Said, and nothing is shown."""
    asked = passerelle("msg", command, "3", "--own-part")
    assert asked.exit_code == 1
    assert "wasn't put together from parts" in asked.output
    assert "MSH" not in asked.output


def test_trace_and_refusals(passerelle, live) -> None:
    """The way of a message; what was not taken."""
    shown = passerelle("msg", "trace", "1").stdout
    assert [word in shown for word in ("received", "attempt 1", "delivered")] == [True] * 3
    told = passerelle("refusals")
    assert "E-NO-HEADER" in told.stdout
    assert "each sender of a connection was told" in told.stderr
    assert "each file" not in told.stderr


def test_a_file_is_shown_as_a_tree(passerelle, tmp_path) -> None:
    """As it is, with names and tables in words; several messages one after the other; nobody asks an engine."""
    path = tmp_path / "two.hl7"
    path.write_bytes(body(1) + b"\r\n" + body(2))
    shown = passerelle("msg", "show", str(path))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("PID  patient identification") == 2
    assert "family name" in shown.stdout
    assert SECRETS[0] in shown.stdout
    assert shown.stderr == ""


def test_a_file_may_come_on_stdin(passerelle) -> None:
    """`-`; as JSON, one object a message."""
    shown = passerelle("msg", "show", "-", "--json", input=body(1))
    (line,) = shown.stdout.splitlines()
    assert json.loads(line)["v"] == 1
    assert json.loads(line)["name"] == "ADT^A01"


def test_a_file_whose_name_looks_like_an_id(passerelle, tmp_path, monkeypatch) -> None:
    """Is named with its directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "48211").write_bytes(body(1))
    assert passerelle("msg", "show", "./48211").stdout.startswith("ADT^A01")


def test_a_file_that_is_none(passerelle, tmp_path) -> None:
    """A sentence, and exit code 2 (usage) or 1 (no message)."""
    absent = passerelle("msg", "show", str(tmp_path / "absent.hl7"))
    assert absent.exit_code == 2
    assert "can't be read: No such file" in absent.stderr
    (tmp_path / "empty.hl7").write_bytes(b"\r\n")
    assert passerelle("msg", "show", str(tmp_path / "empty.hl7")).exit_code == 1
    (tmp_path / "broken.hl7").write_bytes(b"MSH|||\r")
    broken = passerelle("msg", "show", str(tmp_path / "broken.hl7"))
    assert broken.exit_code == 1
    assert "MSH-2 is empty" in broken.stderr


def test_validate_says_what_is_wrong(passerelle, tmp_path) -> None:
    """Exit code 1 with an error; paths and rules, no value; each message by its own."""
    path = tmp_path / "two.hl7"
    path.write_bytes(body(1) + b"\r\n" + body(2).replace(b"\rPV1", b"\rXV1"))
    shown = passerelle("msg", "validate", str(path), "--profile", "hl7-2.x")
    lines = shown.stdout.splitlines()
    assert shown.exit_code == 1, shown.output
    assert lines[0].startswith("message 1 C1 ADT^A01, against hl7-2.x: ")
    assert "error     PV1   missing-segment     PV1 is required in ADT_A01" in shown.stdout
    assert not [secret for secret in SECRETS if secret in shown.output]


def test_validate_speaks_json(passerelle) -> None:
    """One object a message."""
    shown = passerelle("msg", "validate", "-", "--json", "--errors", input=body(1))
    (line,) = shown.stdout.splitlines()
    answer = json.loads(line)
    assert (answer["message"], answer["control_id"], answer["profile"]) == (1, "C1", "pam-fr-2.11")
    assert answer["errors"] == len(answer["findings"])
    assert {"severity", "rule", "path", "sentence"} == set(answer["findings"][0])


def test_validate_by_a_profile_of_ones_own(passerelle, tmp_path) -> None:
    """A file; its faults are told with their lines (78), a name that is none is usage (2)."""
    profile = tmp_path / "site.yaml"
    profile.write_text("extends: hl7-2.x\nfields: { PID-8: { usage: X } }\n")
    shown = passerelle("msg", "validate", "-", "--profile", str(profile), input=body(1))
    assert "forbidden" in shown.stdout
    profile.write_text("extends: hl7-2.x\nfields: { PID: { usage: X } }\n")
    refused = passerelle("msg", "validate", "-", "--profile", str(profile), input=body(1))
    assert refused.exit_code == 78
    assert "site.yaml:2: PID is no field" in refused.stderr
    absent = passerelle("msg", "validate", "-", "--profile", "hl7-2.99", input=body(1))
    assert absent.exit_code == 1
    assert "there are hl7-2.x, hl7-2.1" in absent.stderr


def test_validate_what_is_no_hl7(passerelle) -> None:
    """Refused with its reason, the next message is still looked at."""
    shown = passerelle("msg", "validate", "-", input=b"MSH|\r\nMSH" + body(1)[3:])
    assert shown.exit_code == 1
    assert "message 1: " in shown.stdout
    assert "message 2 C1" in shown.stdout
    hprim = passerelle("msg", "validate", "-", input=b"H|~^\\&|F|||||ORU||||P|H2.1~C|20260301\r\nL|1\r\n")
    assert "message 1: hprim-sante: profiles are for HL7 v2" in hprim.stdout
    assert "`passerelle convert - --to hl7 | passerelle msg validate -` compares what becomes of it" in hprim.stderr
    other = passerelle("msg", "validate", "-", "--json", input=b"hello")
    assert other.exit_code == 1
    told = json.loads(other.stdout)
    assert told["refused"] == "it is neither HL7 v2 nor HPRIM"
    assert told["then"] == "`passerelle msg show -` prints what it holds"


def test_what_validate_says_of_hprim_can_be_typed(passerelle) -> None:
    """The conversion of the fixture is compared."""
    file = Path(__file__).resolve().parents[2] / "fixtures" / "messages" / "labo_cr.hpr"
    said = passerelle("msg", "validate", str(file)).stderr
    assert f"`passerelle convert {file} --to hl7 | passerelle msg validate -`" in said
    made = passerelle("convert", str(file), "--to", "hl7")
    compared = passerelle("msg", "validate", "-", input=made.stdout_bytes)
    assert "ORU^R01, against hl7-2.x" in compared.stdout


def test_faulty_places_are_marked_in_a_tree(passerelle) -> None:
    """With the finding below; by the profile that fits, or the one that is named."""
    shown = passerelle("msg", "show", "-", "--profile", "hl7-2.5", input=body(1).replace(b"\rPV1", b"\rXV1"))
    assert "> error: PV1 is required in ADT_A01" in shown.stdout.splitlines()
    assert [line for line in shown.stdout.splitlines() if line.startswith("> XV1")]
