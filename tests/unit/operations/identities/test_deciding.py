"""What identity officers decide: consequence first, then an intention of the router."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.core.changes import Identify
from engine.core.identities import IdentifierKind, IdentityEvent
from engine.errors import OperationRefused
from engine.identity import acts
from engine.operations.identities.knowing import decided
from tests.support.custody import FakeLive
from tests.support.officers import Office, at_office

ACTS = [
    ("identity_link", {"one": "2", "other": "1"}, 2, "identity-link", {"one": 1, "other": 2}),
    ("identity_apart", {"one": "1", "other": "2"}, 1, "identity-apart", {"one": 1, "other": 2}),
    ("identity_undo", {"event": "3"}, 2, "identity-undo", {"event": 3}),
    ("identity_next_number", {"number": 500}, 1, "identity-next", {"patient": 500}),
]


@pytest.mark.parametrize(("operation", "given", "count", "verb", "arguments"), ACTS)
def test_the_consequence_is_told_and_the_router_does_it(tmp_path, operation, given, count, verb, arguments):
    """Counted in a dry run; nothing without a reason, nothing when the count differs; audited."""

    async def work(office: Office) -> None:
        told = await office.ask(operation, dry=True, **given)
        assert told["count"] == count
        with pytest.raises(OperationRefused, match="reason is needed"):
            await office.ask(operation, **given)
        with pytest.raises(OperationRefused) as refused:
            await office.ask(operation, reason="ticket 9", expect=count + 1, **given)
        assert refused.value.exit_code == 3
        assert office.intentions == []
        answer = await office.ask(operation, reason="ticket 9", expect=count, **given)
        assert answer["accepted"] == 1
        assert [(one.stage, one.verb, dict(one.arguments)) for one in office.intentions] == [
            ("router", verb, arguments)
        ]
        assert (await office.audited())[0] == (operation.replace("_", " ", 1).replace("_", "-"), "ticket 9")

    at_office(tmp_path, work, live=FakeLive())


def test_a_link_says_how_the_two_compare(tmp_path):
    """And which numbers go where."""

    async def work(office: Office) -> dict[str, Any]:
        return await office.ask("identity_link", one="1", other="2", dry=True)

    told = at_office(tmp_path, work)
    assert told["compared"] == "all strict traits are the same"
    assert told["changes"][0] == "patient 2 ends"
    assert any(change.endswith("of chb/ipp goes from patient 2 to 1") for change in told["changes"])
    assert (told["waiting"], told["carried"]) == ([], 0)


def test_an_unlink_says_which_number_of_the_group_stays(tmp_path):
    """One from before a link leads to the old patient; whoever knows the new one under it must be told."""

    async def work(office: Office) -> None:
        assert (await office.ask("identity_unlink", id="3", dry=True, site="chb"))["former"] == []
        disk = office.store.disk
        group = next(row for row in disk.identifiers.values() if row.kind is IdentifierKind.FEDERATION)
        disk.identifiers[77] = replace(group, hash=77, value="G00000000493", patient=3)
        disk.patients[3] = replace(disk.patients[3], identifiers=(77, *disk.patients[3].identifiers))
        told = await office.ask("identity_unlink", id="3", dry=True, site="chb")
        assert len(told["former"]) == 1
        assert "G00000000493" not in told["former"]

    at_office(tmp_path, work)


def test_an_unlink_gives_the_number_of_before_the_link_back(tmp_path):
    """The decision that joined the two is found: its number goes along, told before, and named to the router."""

    async def work(office: Office) -> None:
        await office.desk.commit(Identify(await _linked(office)))
        told = await office.ask("identity_unlink", id="1", dry=True, site="chb")
        assert (len(told["given_back"]), told["former"], told["count"]) == (1, [], 2)
        assert (await office.ask("identity_unlink", id="1", dry=True, site="cha"))["given_back"] == []
        await office.ask("identity_unlink", id="1", reason="two sisters", expect=2, site="chb")
        (key,) = office.intentions[-1].arguments["former"]
        assert office.store.disk.identifiers[key].value == "G00000000295"

    at_office(tmp_path, work, live=FakeLive())


async def _linked(office: Office) -> IdentityEvent:
    act = acts.Act(who="anne", reason="one", place=0, at_ms=1)
    made = await decided(office.desk, lambda view: acts.link(1, 2, view, act))
    assert isinstance(made, IdentityEvent)
    return made


@pytest.mark.parametrize("given", [{"site": "chb"}, {"kind": "ipp", "value": "900304"}])
def test_numbers_are_unlinked_by_hospital_or_one_by_one(tmp_path, given):
    """What that hospital says of the patient goes along; what one says who has others too is nobody's."""

    async def work(office: Office) -> None:
        told = await office.ask("identity_unlink", id="3", dry=True, **given)
        assert told["count"] == 1
        await office.ask("identity_unlink", id="3", reason="two brothers", expect=1, **given)
        (one,) = office.intentions
        assert (one.verb, one.arguments["sites"], len(one.arguments["identifiers"])) == ("identity-unlink", "chb", 1)
        assert one.arguments["unsure"] == ""
        assert (await office.audited())[0] == ("identity unlink", "two brothers")

    at_office(tmp_path, work, live=FakeLive())


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        ("identity_link", {"one": "1", "other": "9"}, "there is no patient 9"),
        ("identity_link", {"one": "1", "other": "3"}, "a hospital has a number in use for each"),
        ("identity_link", {"one": "2", "other": "2"}, "there are no two patients"),
        ("identity_unlink", {"id": "1", "site": "cha"}, "all the local numbers"),
        ("identity_unlink", {"id": "1", "site": "chb"}, "hasn't a number of the site 'chb'; he has numbers of cha"),
        ("identity_unlink", {"id": "3", "kind": "ipp", "value": "1"}, "hasn't this number"),
        ("identity_undo", {"event": "9"}, "there is no decision 9"),
        ("identity_next_number", {"number": 3}, "only goes forward"),
        ("identity_next_number", {"number": 10**12}, "end at"),
    ],
)
def test_what_is_not_done_says_why(tmp_path, operation, given, words):
    """Before anybody is asked, and nothing is recorded."""

    async def work(office: Office) -> None:
        for dry in (True, False):
            with pytest.raises(OperationRefused, match=words):
                await office.ask(operation, dry=dry, **({} if dry else {"reason": "x"}), **given)
        assert office.intentions == []

    at_office(tmp_path, work)


def test_a_patient_of_many_numbers_is_linked(tmp_path):
    """Those that his hospitals replaced over the years, a link after a link: however many rows are asked for."""

    async def work(office: Office) -> None:
        columns = ["number", "authority", "value", "kind"]
        rows = ["G00000000493,chb/ipp,900400,", *(f"G00000000493,chb/ipp,9004{rank},alias" for rank in range(10, 50))]
        assert (await office.ask("identity_import", columns=columns, rows=rows, reason="x"))["added"] == 41
        told = await office.ask("identity_link", one="1", other="4", dry=True)
        assert told["count"] == 42
        assert told["changes"][-1] == "and 23 more"

    at_office(tmp_path, work)
