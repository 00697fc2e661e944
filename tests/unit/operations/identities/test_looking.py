"""What identity officers look at."""

from __future__ import annotations

import json

import pytest

from engine.errors import OperationRefused
from tests.support.officers import SECRETS, Office, at_office


@pytest.mark.parametrize(
    ("kind", "value", "ids"),
    [("ipp", "900101", ["1"]), ("ipp", "900304", ["3"]), ("number", "G00000000295", ["2"]), ("ipp", "1", []),
     ("nda", "900101", []), ("ins", "900101", [])],
)  # fmt: skip
def test_a_patient_is_found_by_an_identifier(tmp_path, kind, value, ids):
    """By hash, under every authority that may have given it."""

    async def work(office: Office) -> list[str]:
        return [row["id"] for row in (await office.ask("identity_find", kind=kind, value=value))["rows"]]

    assert at_office(tmp_path, work) == ids


def test_nothing_of_a_patient_is_shown_unless_revealed(tmp_path):
    """Pseudonyms and masks; what is revealed stands in the audit trail before it is shown."""

    async def work(office: Office) -> None:
        for operation, given in (
            ("identity_find", {"kind": "ipp", "value": "900101"}), ("identity_show", {"id": "1"}),
            ("identity_history", {"id": "1"}), ("identity_review", {}), ("identity_history", {}),
        ):  # fmt: skip
            shown = json.dumps(await office.ask(operation, **given), ensure_ascii=False)
            assert not [secret for secret in SECRETS if secret in shown], operation
        with pytest.raises(OperationRefused, match="reason is needed"):
            await office.ask("identity_show", id="1", reveal=True)
        shown = json.dumps(await office.ask("identity_show", id="1", reveal=True, reason="call of the ward"))
        assert "900101" in shown
        assert "ZUBROWKA" in shown
        assert (await office.audited())[0] == ("reveal", "call of the ward")

    at_office(tmp_path, work)


def test_a_patient_is_shown_with_what_each_hospital_says(tmp_path):
    """Identifiers with their authority, one assertion a site, pairs to review."""

    async def work(office: Office) -> dict:
        return await office.ask("identity_show", id="3")

    shown = at_office(tmp_path, work)
    assert [one["authority"] for one in shown["identifiers"]] == ["group/ipp", "cha/ipp", "chb/ipp"]
    assert [(one["site"], one["status"]) for one in shown["assertions"]] == [("cha", "PROV"), ("chb", "PROV")]
    assert shown["reviews"] == []
    assert shown["waiting"] == []


def test_pairs_to_review_say_how_they_compare(tmp_path):
    """Trait by trait, without a value."""

    async def work(office: Office) -> dict:
        assert (await office.ask("identity_review", state="apart"))["rows"] == []
        shown = (await office.ask("identity_show", id="2"))["reviews"]
        assert [(one["one"], one["other"]) for one in shown] == [("1", "2")]
        return await office.ask("identity_review")

    (row,) = at_office(tmp_path, work)["rows"]
    assert (row["one"], row["other"], row["rule"], row["state"]) == ("1", "2", "same-traits", "open")
    assert row["traits"] == "all strict traits are the same"


def test_the_history_is_told_of_one_patient(tmp_path):
    """Only what concerns him, of a decision on many."""

    async def work(office: Office) -> list[dict]:
        return (await office.ask("identity_history", id="3"))["rows"]

    (row,) = at_office(tmp_path, work)
    assert (row["rule"], row["who"], row["reason"]) == ("import", "anne", "take-over")
    assert row["changes"][0] == "patient 3 begins"
    assert len(row["changes"]) == 4


def test_counts(tmp_path):
    """Of everything, and the next number."""

    async def work(office: Office) -> dict:
        return await office.ask("identity_stats")

    told = at_office(tmp_path, work)
    assert (told["patients"], told["next_patient"]) == (3, 4)
    assert told["identifiers"] == {"federation": 3, "local": 4}


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("identity_show", {"id": "9"}, 1),
        ("identity_show", {"id": "x"}, 2),
        ("identity_history", {"id": "9"}, 1),
        ("identity_history", {"before": "x"}, 2),
        ("identity_find", {"kind": "name", "value": "x"}, 2),
        ("identity_find", {"kind": "ipp", "value": ""}, 2),
        ("identity_review", {"state": "lost"}, 2),
        ("identity_impact", {"id": "9"}, 1),
        ("identity_impact", {"event": "9"}, 1),
        ("identity_impact", {}, 2),
        ("identity_impact", {"id": "1", "event": "1"}, 2),
    ],
)
def test_what_is_not_there(tmp_path, operation, given, code):
    """A negative answer; what can't be read is usage."""

    async def work(office: Office) -> None:
        with pytest.raises(OperationRefused) as refused:
            await office.ask(operation, **given)
        assert refused.value.exit_code == code

    at_office(tmp_path, work)
