"""A message that a route makes several of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core import splices
from engine.core.asking import Reply, answered_at_once
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind, PayloadKind, delivery_id
from engine.errors import OperationRefused
from engine.parsers import base_of
from engine.routes import check, load
from engine.routes.evaluation import evaluate, render_again
from tests.support.steps import grows_with
from tests.unit.routes.conftest import SMALL

ORU = (
    "MSH|^~\\&|LIS|000000026|C|D|20260301||ORU^R01|9|P|2.5|||||FRA|UNICODE UTF-8\rPID|1||111\rPV1|1|I|1010\r"
    "OBR|1||F1|HB\rOBX|1|NM|718-7||13\rOBR|2||F2|NA\rOBX|1|NM|2951-2||140\rOBR|3||F3|K\rOBX|1|NM|2823-3||4\r"
)
TWO = ORU.replace("OBR|3", "PID|2||222\rOBR|3")
SPLIT = "split: { by: ORDER_OBSERVATION }"


def route(*steps: str, to: str = "[dpi]") -> str:
    return (
        "routes:\n  r:\n    from: [gam]\n    steps:\n"
        + "".join(f"      - {one}\n" for one in steps)
        + f"    to: {to}\n"
    )


@pytest.fixture
def decide(small, references, stored):
    """Evaluate a message under a route; gives the decision."""

    def go(message: str | bytes, routes: str, base: str = SMALL, **tables: bytes):
        raw = message if isinstance(message, bytes) else message.encode()
        return evaluate(small(routes, base=base, **tables), stored(raw, "gam"), references)

    return go


def sent(decision, what: bytes) -> list[bytes]:
    return [one.rendered[one.rendered.find(what) :].split(b"\r")[0] for one in decision.deliveries]


def test_parts_are_deliveries_of_the_message(decide):
    """In order, over parts and entries of `to:`; each with its rank, all counted, stored whole."""
    decision = decide(ORU, route(SPLIT, to="[dpi, raw]"))
    assert decision.state is MessageState.ROUTED
    assert [(one.id, one.destination, one.part, one.copies) for one in decision.deliveries] == [
        (delivery_id(7, 2 * rank + exit_), name, (rank + 1, 3), 6)
        for rank in range(3) for exit_, name in enumerate(("dpi", "raw"))
    ]  # fmt: skip
    assert {one.payload_kind for one in decision.deliveries} == {PayloadKind.FULL}
    dpi = [one for one in decision.deliveries if one.destination == "dpi"]
    assert [one.control_id for one in dpi] == ["7-0", "7-2", "7-4"]
    assert [one.control_id for one in decision.deliveries if one.destination == "raw"] == ["9-1", "9-2", "9-3"]
    assert b"OBR|2||F2|NA\rOBX|1|NM|2951-2||140\r" in (dpi[1].rendered or b"")
    assert b"718-7" not in (dpi[1].rendered or b"")


def test_steps_after_it_see_one_part(decide):
    """With its rank."""
    decision = decide(ORU, route(SPLIT, 'set: { OBR-1: "{rank}/{OBR-3}" }'))
    assert sent(decision, b"OBR") == [b"OBR|1/F1||F1|HB", b"OBR|2/F2||F2|NA", b"OBR|3/F3||F3|K"]


def test_a_part_that_fails_alone(decide):
    """The others leave; the dead one has its place, its rank, and can be found again."""
    decision = decide(
        ORU, route(SPLIT, "map: { field: OBR-4, table: t, take: to, on_missing: dead_letter }", to="[dpi, raw]"),
        base=f"{SMALL}tables: {{ t: t.csv }}\n", t=b"code,to\nHB,1\nK,3\n",
    )  # fmt: skip
    states = [(one.part[0], one.destination, one.state, one.code) for one in decision.deliveries]
    assert states[2:4] == [
        (2, "dpi", DeliveryState.DEAD, "E-MAP-MISS"), (2, "raw", DeliveryState.DEAD, "E-MAP-MISS"),
    ]  # fmt: skip
    assert [state for _, _, state, _ in states].count(DeliveryState.PENDING) == 4
    dead = decision.deliveries[2]
    assert (dead.kind, dead.queued, dead.lanes) == (DeliveryKind.BODILESS, True, decision.deliveries[0].lanes)


def test_a_failure_before_it_has_as_many_dead_deliveries(decide):
    """So that each part has its own place, and its own retry."""
    decision = decide(ORU, route("set: { ZZZ-1: x }", SPLIT))
    assert [(one.part, one.state, one.code) for one in decision.deliveries] == [
        ((rank, 3), DeliveryState.DEAD, "E-NO-SEGMENT") for rank in (1, 2, 3)
    ]


def test_dropped_parts(decide):
    """A part that the route doesn't want isn't delivered; when none is wanted the message is filtered."""
    decision = decide(ORU, route(SPLIT, "{ drop: no sodium, when: OBR-4 == NA }"))
    assert [one.part for one in decision.deliveries] == [(1, 3), (3, 3)]
    decision = decide(ORU, route(SPLIT, "drop: nothing"))
    assert (decision.state, decision.reason) == (MessageState.FILTERED, "nothing")


def test_a_message_without_the_group(decide):
    """A dead letter; not with a condition that doesn't hold."""
    adt = ORU.split("OBR")[0]
    [dead] = decide(adt, route(SPLIT)).deliveries
    assert (dead.code, dead.part) == ("E-SPLIT", (1, 1))
    [fine] = decide(adt, route(f"{{ {SPLIT}, when: OBR exists }}")).deliveries
    assert (fine.state, fine.part) == (DeliveryState.PENDING, (1, 1))


def test_lanes_are_those_of_the_parts_patient(decide, references):
    """As received and as sent; no part waits for the other patient."""

    def lane(ipp: str) -> int:
        return references.hash("patient", "1.2.250.1.999.10.1|PI", ipp)

    decision = decide(TWO, route(SPLIT))
    assert [one.lanes for one in decision.deliveries] == [(lane("111"),), (lane("111"),), (lane("222"),)]
    decision = decide(TWO, route('{ set: { PID-3.1: "333" }, when: PID-3.1 == 111 }', SPLIT))
    assert [one.lanes for one in decision.deliveries] == [
        (lane("111"), lane("333")), (lane("111"), lane("333")), (lane("222"),),
    ]  # fmt: skip
    decision = decide(TWO, route("set: { ZZZ-1: x }", SPLIT))
    assert [one.lanes for one in decision.deliveries] == [(lane("111"),), (lane("111"),), (lane("222"),)]
    keyed = decide(TWO, route(SPLIT).replace("    to:", "    order_by: [ipp]\n    to:"))
    own = [references.hash("ipp", "1.2.250.1.999.10.1|PI", ipp) for ipp in ("111", "111", "222")]
    assert [one.lanes for one in keyed.deliveries] == [(one,) for one in own]


def test_under_an_entry_of_to(decide):
    """That entry only; the other gets the message as it is."""
    decision = decide(ORU, "routes:\n  r:\n    from: [gam]\n    to:\n      - raw\n      - destination: dpi\n"
                      f"        steps: [ {{ {SPLIT} }}, {{ tag: part }} ]\n")  # fmt: skip
    assert [(one.destination, one.part) for one in decision.deliveries] == [
        ("raw", (0, 0)), ("dpi", (1, 3)), ("dpi", (2, 3)), ("dpi", (3, 3)),
    ]  # fmt: skip
    assert decision.findings.count("tag:part") == 3
    assert decision.deliveries[0].rendered == ORU.encode()


def test_findings_are_told_once(decide):
    """What steps left before the parts were made isn't told by each."""
    decision = decide(ORU, route("tag: before", SPLIT, "tag: after"))
    assert decision.findings == ["tag:before", "tag:after", "tag:after", "tag:after"]


def test_as_received(decide):
    """Where nothing else is touched the segments of a part are the very bytes received."""
    raw = ORU.replace("\r", "\r\n").replace("UNICODE UTF-8", "8859/1").replace("|HB", "|HÉ")
    decision = decide(raw.encode("latin-1"), route(SPLIT, to="[raw]"))
    assert b"OBR|1||F1|H\xc9\r\nOBX|1|NM|718-7||13\r\n" in (decision.deliveries[0].rendered or b"")


def test_retry_of_a_part(small, references, stored):
    """It is made again by its rank; where the route makes another number of parts today, nothing is guessed."""
    message = stored(ORU.encode(), "gam")
    fixed = small(route(SPLIT, "set: { OBR-1: again }"))
    again = render_again(fixed, message, references, "r", "dpi", delivery_id(7, 4), (2, 3))
    assert (again.id, again.part, again.state) == (delivery_id(7, 4), (2, 3), DeliveryState.PENDING)
    assert b"OBR|again||F2|NA\r" in (again.rendered or b"")
    for part in ((2, 2), (0, 0)):
        with pytest.raises(OperationRefused, match="makes 3 of this message today"):
            render_again(fixed, message, references, "r", "dpi", delivery_id(7, 4), part)
    whole = small(route("tag: x"))
    with pytest.raises(OperationRefused, match="makes 1 of this message today, and made 3"):
        render_again(whole, message, references, "r", "dpi", delivery_id(7, 4), (2, 3))
    assert render_again(whole, message, references, "r", "dpi", 4, (1, 1)).state is DeliveryState.PENDING
    dead = render_again(small(route(SPLIT, "set: { ZZZ-1: x }")), message, references, "r", "dpi", 4, (2, 3))
    assert (dead.state, dead.code, dead.part) == (DeliveryState.DEAD, "E-NO-SEGMENT", (2, 3))


def test_too_many_deliveries(decide):
    """A message that would have more than its numbers is dead as a whole."""
    many = ORU.split("OBR")[0] + "OBR|1\r" * 9_000
    exits = "[dpi, raw, bus]"
    three = route(SPLIT, to=exits) + "".join(
        f"  r{n}:\n    from: [gam]\n    steps: [ {{ {SPLIT} }} ]\n    to: {exits}\n" for n in range(2)
    )
    decision = decide(many, three)
    assert (decision.state, decision.code, decision.deliveries) == (MessageState.DEAD, "E-SPLIT", [])


def test_the_cost_grows_with_the_message(small, references, stored):
    """Two thousand parts cost some ten times what two hundred do."""
    configuration = small(route(SPLIT))

    def deciding(count: int) -> Callable[[], object]:
        message = stored((ORU.split("OBR")[0] + "OBR|1||F1|HB\rOBX|1|NM|718-7||13\r" * count).encode(), "gam")
        assert len(evaluate(configuration, message, references).deliveries) == count
        return lambda: evaluate(configuration, message, references)

    grows_with(deciding, 200)


def test_what_is_stored_gives_what_is_sent(decide):
    """Nothing of a part is a difference to the bytes received."""
    for delivery in decide(ORU, route(SPLIT, "set: { PV1-4: R }", to="[dpi, raw]")).deliveries:
        payload = delivery.payload or b""
        whole = payload if delivery.payload_kind is PayloadKind.FULL else splices.apply(ORU.encode(), payload, base_of)
        assert whole == delivery.rendered


def test_twice_is_refused(tmp_path):
    """In the steps of the route and under `to:`: a part has one rank."""
    exits = f"[ {{ destination: dpi, steps: [ {{ {SPLIT} }} ] }} ]"
    (tmp_path / "routes.yaml").write_text(SMALL + route(SPLIT, to=exits))
    _, findings = check(tmp_path / "routes.yaml", environment={})
    assert [one.code for one in findings if one.level == "error"] == ["E152"]


def test_parts_ask_together(small, references, stored, tmp_path):
    """All that can be asked in one go is asked in one go, whatever the number of parts and entries of `to:`."""
    (tmp_path / "c.py").write_text("def f(message):\n    pass\n")
    python = "python: { file: c.py, call: f, reads: [OBR], writes: [OBR-1] }"
    (tmp_path / "routes.yaml").write_text(SMALL + route(SPLIT, python, "set: { OBR-5: x }", python, to="[dpi, raw]"))
    configuration = load(tmp_path / "routes.yaml", environment={"PASSERELLE_PYTHON": "yes"})
    message = stored(ORU.encode(), "gam")
    rounds: list[int] = []

    def work(answers):
        rounds.append(len(answers))
        return evaluate(configuration, message, references, answers)

    decision = answered_at_once(work, lambda question: Reply([("OBR-1", f"{len(question.message)}")]))
    assert rounds == [0, 3, 6]
    assert [one.state for one in decision.deliveries] == [DeliveryState.PENDING] * 6
    assert {one.rendered.count(b"||x") for one in decision.deliveries if one.rendered} == {0}
    again = answered_at_once(
        lambda answers: render_again(configuration, message, references, "r", "dpi", 4, (2, 3), answers),
        lambda _: Reply(failure="ValueError at c.py:2"),
    )
    assert (again.state, again.code, again.reason) == (DeliveryState.DEAD, "E-PYTHON", "ValueError at c.py:2")
