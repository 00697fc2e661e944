"""`passerelle identity`, as it is typed, on a stopped engine's data directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import acting, asking, identity
from engine.operations.identities import deciding
from tests.support.officers import HEADER, ROUTES, ROWS, SECRETS


@pytest.fixture
def officer(passerelle, data: Path) -> Path:
    """The folder of an identity officer, whose cross-reference has three patients."""
    (data / "lock").touch()
    folder = data.parent
    (folder / "routes.yaml").write_text(ROUTES, encoding="utf-8")
    (folder / "mpi.csv").write_text("\n".join([",".join(HEADER), *ROWS, ""]), encoding="utf-8")
    done = passerelle("identity", "import", str(folder / "mpi.csv"), "--yes", "--expect", "4", "--reason", "take-over")
    assert done.exit_code == 0, done.output
    return folder


def test_a_patient_by_an_identifier(passerelle, officer):
    """Asked for, or read from stdin; masked."""
    done = passerelle("identity", "find", "--ipp", input="900303\n")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("patient 3  P.")
    assert lines[1].startswith("  cha/ipp       P.")
    assert lines[3].startswith("  cha says    PROV, xxxxxxxxx xxxx 99999999 x 99999  (")
    assert done.stderr.endswith("is audited\n")
    assert "nobody has this identifier" in passerelle("identity", "find", "--ins", input="1\n").stdout
    row = json.loads(passerelle("identity", "find", "--ipp", "--json", input="900303\n").stdout)
    assert (row["v"], row["id"]) == (1, "3")


def test_nothing_shows_a_value(passerelle, officer):
    """Not on stdout, not on stderr; but revealed with a reason."""
    shown = ""
    for words in (["show", "1"], ["history"], ["history", "1"], ["review"], ["stats"], ["impact", "1"],
                  ["link", "1", "2"], ["apart", "1", "2"], ["unlink", "3", "--site", "chb"]):  # fmt: skip
        done = passerelle("identity", *words)
        shown += done.output
        shown += passerelle("identity", *words, "--json").output
    assert not [secret for secret in SECRETS if secret in shown]
    revealed = passerelle("identity", "show", "1", "--reveal", "--reason", "ward called").stdout
    assert "900101" in revealed
    assert "ZUBROWKA" in revealed
    assert "ward called" in passerelle("audit").stdout


def test_the_database_shows_no_value_either(passerelle, officer):
    """Whatever table an operator asks for: values are shown by `identity` only, where it is audited."""
    tables = [json.loads(line)["name"] for line in passerelle("db", "tables", "--json").stdout.splitlines()]
    exported = {table: passerelle("db", "export", table).stdout for table in tables}
    assert len(exported["identifiers"].splitlines()) == 1 + 7  # four numbers of hospitals, three of the group
    assert len(exported["patients"].splitlines()) == 1 + 3
    assert not [(table, secret) for table, text in exported.items() for secret in SECRETS if secret in text]


def test_a_pair_to_review(passerelle, officer):
    """How they compare, and what to do."""
    done = passerelle("identity", "review", "--rule", "same-traits", "--site", "chb", "--since", "2d")
    why = "the same strict traits, in a cross-reference that was taken over"
    assert done.stdout.startswith(f"1 pair\n      1  same-traits  {why}\n")
    assert done.stdout.count(why) == 1
    assert json.loads(passerelle("identity", "review", "--json").stdout)["counts"] == {"same-traits": 1}
    assert "all strict traits are the same" in done.stdout
    assert "identity apart ONE OTHER" in done.stderr
    done = passerelle("identity", "show", "2")
    assert "to review with patient 1" in done.stdout
    assert "`passerelle dead show ID` shows one" in done.stderr


def test_pairs_of_one_rule_for_two_reasons_say_their_own(passerelle, monkeypatch):
    """What differs from row to row stands in the rows; what doesn't, above."""
    row = {"one": "1", "other": "2", "sites": ["cha"], "at_ms": 1_000, "message": "", "state": "open", "traits": "x"}
    said = [("1", "same-traits", "all were"), ("2", "same-traits", "taken over"), ("3", "merge", "a hospital merged")]
    rows = [row | {"id": id_, "rule": rule, "sentence": sentence} for id_, rule, sentence in said]
    answer = {"counts": {"merge": 1, "same-traits": 2, "conflict": 1_204}, "rows": rows}
    monkeypatch.setattr("engine.cli.identity_review.ask", lambda *_, **__: answer)
    shown = passerelle("identity", "review").stdout
    assert shown.splitlines()[:4] == [
        "1,207 pairs", "      1  merge        a hospital merged", "      2  same-traits", "  1,204  conflict",
    ]  # fmt: skip
    assert "taken over" in shown


def test_the_consequence_comes_first(passerelle, officer, monkeypatch):
    """Then the question; a no changes nothing."""
    for module in (acting, asking):
        monkeypatch.setattr(module, "interactive", lambda: True)
    done = passerelle("identity", "link", "1", "2", "--reason", "one person", input="n\n")
    assert done.exit_code == 1
    first, *changes = done.stdout.splitlines()
    assert first == "patients 1 and 2 become one; what is known of them: all strict traits are the same"
    assert "  patient 2 ends" in changes
    done = passerelle("identity", "link", "1", "2", "--reason", "one person", input="y\n")
    assert done.exit_code == 0
    assert "1 recorded: it will be carried out when the engine starts" in done.stdout


def test_a_script_says_it_all_at_once(passerelle, officer):
    """And nothing happens when the number isn't the one expected."""
    words = ("identity", "unlink", "3", "--ipp", "--yes", "--reason", "brothers")
    assert passerelle(*words, "--expect", "2", input="900304\n").exit_code == 3
    done = passerelle(*words, "--expect", "1", input="900304\n")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1 number of patient 3 become")
    assert passerelle("identity", "next-number", "90", "--yes", "--expect", "1", "--reason", "restore").exit_code == 0
    waiting = passerelle("audit").stdout
    assert "identity-unlink" in waiting
    assert "identity-next" in waiting


def test_a_number_that_is_another_persons(passerelle, officer):
    """Also a patient's only one; the act says what stays, and how many identifiers move."""
    assert "--another-person" in passerelle("identity", "unlink", "1", "--ipp", input="900101\n").output
    words = ("identity", "unlink", "1", "--ipp", "--another-person", "--yes", "--reason", "given on")
    told = passerelle(*words, "--expect", "2", input="900101\n")
    assert told.exit_code == 3
    assert "1 number of patient 1 becomes another person's; what was said under it stays with 1" in told.stdout
    assert "  in all 1 identifier changes its patient (in a script: --expect 1)\n" in told.stdout
    assert passerelle(*words, "--expect", "1", input="900101\n").exit_code == 0


def test_the_history_and_the_counts(passerelle, officer):
    """A line for a decision; numbers in a column."""
    assert "patient 1 begins" in passerelle("identity", "history", "1").stdout
    counts = passerelle("identity", "stats").stdout
    assert "patients                         3\n" in counts
    assert "next number                      4\n" in counts
    told = json.loads(passerelle("identity", "stats", "--json").stdout)
    assert told["identifiers"]["local"] == 4


def test_what_is_exported_is_imported(passerelle, officer):
    """The file is its owner's alone; one that is there isn't written over."""
    file = officer / "export.csv"
    done = passerelle("identity", "export", str(file), "--reason", "archive")
    assert (done.exit_code, file.stat().st_mode & 0o777) == (0, 0o600)
    assert len(file.read_text("utf-8").splitlines()) == 5
    assert passerelle("identity", "export", str(file), "--reason", "archive").exit_code == 1
    assert passerelle("identity", "export", "-", "--reason", "archive").stdout == file.read_text("utf-8")
    done = passerelle("identity", "export", str(officer / "x.csv"))
    assert done.exit_code == 2, done.output
    assert not (officer / "x.csv").exists()
    done = passerelle("identity", "import", str(file), "--yes", "--expect", "4", "--reason", "again")
    assert done.stdout.splitlines()[-1] == "0 added, 4 known already, 0 refused"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["find"], 2),
        (["find", "--ipp", "--ins"], 2),
        (["find", "--ipp", "900303"], 2),
        (["unlink", "3"], 2),
        (["unlink", "3", "--site", "cha", "--ipp"], 2),
        (["unlink", "3", "--site", "cha", "--another-person"], 2),
        (["impact"], 2),
        (["show", "x"], 2),
        (["show", "99"], 1),
        (["link", "1", "3", "--yes", "--reason", "x"], 1),
    ],
)
def test_what_is_refused(passerelle, officer, words, code):
    """An identifier on the command line is usage."""
    assert passerelle("identity", *words, input="1\n").exit_code == code


@pytest.mark.parametrize(
    ("ids", "in_flight", "words"),
    [
        (["7-0"], [], ["1 waiting delivery for dpi is made anew in its place (7-0)"]),
        (
            [f"{n}-0" for n in range(1, 14)],
            ["1-0"],
            [
                "12 waiting deliveries for dpi are made anew in their places (2-0, ",
                "1 delivery for dpi is in flight and names both (1-0): `identity impact` says what arrived so",
            ],
        ),
    ],
)
def test_what_names_both_is_told_before_the_question(passerelle, officer, monkeypatch, ids, in_flight, words):
    """What is made anew, and what may arrive as it was made, by its ids; a long list is cut."""

    async def some(*_):
        return [{"destination": "dpi", "ids": ids, "in_flight": in_flight, "more": False}]

    monkeypatch.setattr(deciding, "names_both", some)
    told = passerelle("identity", "unlink", "3", "--site", "chb").stdout
    for one in words:
        assert one in told
    assert ("…" in told) == (len(ids) > 10)


def test_what_was_not_all_looked_at_is_told_as_more(passerelle, officer, monkeypatch):
    """A number that is a limit isn't told as if it were all."""

    async def some(*_):
        return [{"destination": "dpi", "ids": ["1-0", "2-0"], "in_flight": ["2-0"], "more": True}]

    monkeypatch.setattr(deciding, "names_both", some)
    told = passerelle("identity", "unlink", "3", "--site", "chb").stdout
    assert "1 or more waiting deliveries for dpi are made anew in their places (1-0)" in told


def test_the_number_of_before_the_link_is_told():
    """It goes along, and whoever received the person under it knows him; another one that stays is told too."""
    lines = identity._told({"given_back": ["G295"], "former": ["G394"]}, "what it does").splitlines()
    assert "has the group's number G295 again, from before the link" in lines[1]
    assert lines[2].startswith("  G394, from before a link, leads to the old one as before")
    (_, alone) = identity._told({"given_back": [], "former": ["G394"]}, "what it does").splitlines()
    assert alone.startswith("  the new patient gets a new number of the group; G394, ")
