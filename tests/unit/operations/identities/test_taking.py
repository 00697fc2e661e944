"""An existing cross-reference is taken and given."""

from __future__ import annotations

import csv
import io
from contextlib import asynccontextmanager

import pytest

from engine.core.changes import Receive
from engine.core.messages import DeliveryKind, StoredMessage
from engine.errors import OperationRefused
from engine.identity.bulk import COLUMNS
from engine.operations.desk import Standstill
from tests.support.custody import SOURCE, FakeLive, body, delivery, receive, submitted
from tests.support.officers import HEADER, ROWS, Office, at_office


def test_what_is_given_is_taken_again(tmp_path):
    """Export, then import: everything is known."""

    async def work(office: Office) -> None:
        first = await office.ask("identity_export", limit=2, reason="to the archive")
        second = await office.ask("identity_export", after=first["next"], limit=2, reason="to the archive")
        assert (first["patients"], second["patients"], second["next"]) == (2, 1, "")
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([*first["rows"], *second["rows"]])
        rows = out.getvalue().splitlines()
        answer = await office.ask("identity_import", columns=list(COLUMNS), rows=rows, reason="x")
        assert (answer["added"], answer["known"], answer["refused"], answer["event"]) == (0, 4, [], False)
        assert [one for one in await office.audited() if one[0] == "identity export"] == [
            ("identity export", "to the archive")
        ]

    at_office(tmp_path, work)


def test_what_is_refused_is_told_with_its_line(tmp_path):
    """The others are taken."""

    async def work(office: Office) -> None:
        rows = ["G00000000196,cha/ipp,1,,,,,,", "G00000000493,cha/ipp,900777,,,,,,", "", "G1,cha/ipp", "G1,xyz,2,,,,,,"]
        answer = await office.ask("identity_import", columns=HEADER, rows=rows, line=10, reason="x")
        assert answer["added"] == 1
        assert [one["line"] for one in answer["refused"]] == [10, 13, 14]
        assert answer["refused"][1]["reason"] == "2 cells in place of 9"

    at_office(tmp_path, work)


def test_a_dry_run_changes_nothing(tmp_path):
    """And wants no reason."""

    async def work(office: Office) -> None:
        before = await office.ask("identity_stats")
        answer = await office.ask(
            "identity_import", columns=HEADER, rows=["G00000000493,cha/ipp,1,,,,,,"], file="x", dry=True
        )
        assert answer["added"] == 1
        assert await office.ask("identity_stats") == before

    at_office(tmp_path, work)


def test_the_routers_of_a_running_engine_wait_meanwhile(tmp_path):
    """Not for a dry run."""
    live = FakeLive()
    entered = []

    @asynccontextmanager
    async def between():
        entered.append("in")
        yield Standstill((0,), live.identified.append)
        entered.append("out")

    live.between_messages = between

    async def work(office: Office) -> None:
        assert entered == ["in", "out"]
        (change,) = live.identified
        assert (change.event.rule, len(change.also), change.next_patient) == ("import", 2, 4)
        assert len(change.releases) >= 7
        await office.ask("identity_import", columns=HEADER, rows=ROWS, dry=True)
        assert entered == ["in", "out"]

    at_office(tmp_path, work, live=live)


@pytest.mark.parametrize("live", [FakeLive(), None], ids=["running", "stopped"])
def test_what_waits_under_a_number_keeps_its_order(tmp_path, live):
    """A fence behind what was decided, and before what was only received: that goes into the patient's own lane."""

    async def work(office: Office) -> None:
        references = office.desk.references
        number = references.hash("patient", "1.2.250.1.999.10.1|PI", "905")
        waiting = delivery()
        waiting.lanes = (number,)
        place = await receive(office.store, 1, deliveries=[waiting])
        message = StoredMessage(
            source=SOURCE, group="main", raw=body(2), received_ms=1, control_id="C2", type="ADT^A01"
        )
        assert (await submitted(office.store, Receive(message))).place == place + 1
        if live is not None:
            live.decided = (place,)
        await office.ask("identity_import", columns=HEADER, rows=["MPI-5,cha/ipp,905,,,,,,"], reason="x")
        first, fence, *others = (await office.store.queue("dpi", 0, 9)).items
        assert (first.place, fence.place, fence.kind) == (place, place, DeliveryKind.FENCE)
        assert {one.kind for one in others} <= {DeliveryKind.FENCE}, "another routing group may have decided further"
        assert set(fence.lanes) == {number, references.hash("territorial", "", "4")}

    at_office(tmp_path, work, live=live)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"columns": ["number", "value"]}, "without authority"),
        ({"columns": [*HEADER, "town"]}, "with town"),
        ({"columns": [*HEADER, "sex"]}, "said twice"),
        ({"rows": [""] * 5_001}, "at most 5,000"),
        ({"separator": ""}, "one sign"),
    ],
)
def test_usage(tmp_path, given, words):
    """Nothing of it is taken."""

    async def work(office: Office) -> None:
        with pytest.raises(OperationRefused, match=words) as refused:
            await office.ask("identity_import", **({"columns": HEADER, "rows": ROWS, "reason": "x"} | given))
        assert refused.value.exit_code == 2

    at_office(tmp_path, work)


def test_nothing_without_a_section_identity(tmp_path):
    """Said in one sentence."""

    async def work(office: Office) -> None:
        from tests.support.custody import configuration

        office.desk.known = configuration()
        with pytest.raises(OperationRefused, match="no section identity"):
            await office.ask("identity_stats")

    at_office(tmp_path, work)
