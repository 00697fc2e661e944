"""The router's decision on one message."""

from __future__ import annotations

import pytest

from engine.core import splices
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind, PayloadKind, delivery_id
from engine.errors import OperationRefused
from engine.parsers import base_of
from engine.routes.evaluation import evaluate, render_again
from engine.transforms.step import Step
from tests.support.steps import calls
from tests.unit.routes.conftest import SMALL

HEAD = "MSH|^~\\&|A|000000026|C|D|20260301||{type}|9|P|2.5|||||FRA|{charset}\r"


def adt(
    event: str = "A01", *, type_: str = "ADT", charset: str = "UNICODE UTF-8", rest: str = "", ipp: str = "111"
) -> bytes:
    head = HEAD.format(type=f"{type_}^{event}", charset=charset)
    return f"{head}PID|1||{ipp}||DOÉ^JANE||1984|F\rPV1|1|I|1010\r{rest}".encode()


def routes(*blocks: str) -> str:
    return "routes:\n" + "".join(f"  r{rank}:\n    from: [gam]\n{block}" for rank, block in enumerate(blocks, 1))


def test_two_routes_and_exits(small, references, stored):
    """Deliveries come in the order of the file, numbered over the message; copies don't touch each other."""
    configuration = small(
        routes(
            "    steps: [ { set: { PV1-4: R } } ]\n"
            "    to:\n      - dpi\n      - destination: dpi\n        steps: [ { set: { PV1-5: E } } ]\n"
            "      - destination: raw\n        when: event == Z99\n",
            "    to: [raw]\n",
        ).replace(
            "    to:\n      - dpi\n      - destination: dpi\n", "    to:\n      - dpi\n      - destination: bus\n"
        )
    )
    message = stored(adt(), "gam")
    decision = evaluate(configuration, message, references)
    assert [(one.id, one.route, one.destination, one.copies) for one in decision.deliveries] == [
        (delivery_id(7, 0), "r1", "dpi", 3), (delivery_id(7, 1), "r1", "bus", 3), (delivery_id(7, 2), "r2", "raw", 3),
    ]  # fmt: skip
    dpi, bus, raw = decision.deliveries
    assert b"PV1|1|I|1010|R\r" in (dpi.rendered or b"")
    assert bus.target == "ght/cha/adt/A01"
    assert raw.rendered == message.raw
    assert raw.target == "cha-A01-7-2.hl7"
    assert {one.config for one in decision.deliveries} == {configuration.hash}


def test_a_failing_step_stops_its_route_only(small, references, stored):
    """The other route goes on; each stopped destination gets a dead delivery with the lanes of the message."""
    configuration = small(routes("    steps: [ { set: { ZZZ-1: x } } ]\n    to: [dpi, raw]\n", "    to: [dpi]\n"))
    dead, unqueued, fine = evaluate(configuration, stored(adt(), "gam"), references).deliveries
    assert (dead.state, dead.kind, dead.queued, dead.code, dead.field) == (
        DeliveryState.DEAD, DeliveryKind.BODILESS, True, "E-NO-SEGMENT", "ZZZ-1",
    )  # fmt: skip
    assert dead.lanes == fine.lanes != ()
    assert (unqueued.destination, unqueued.queued, unqueued.lanes) == ("raw", False, ())
    assert (fine.state, fine.kind) == (DeliveryState.PENDING, DeliveryKind.BYTES)


def test_a_failing_step_of_an_exit_stops_that_exit_only(small, references, stored):
    """The entry before and the entry after are delivered."""
    configuration = small(
        routes(
            "    to:\n      - dpi\n      - destination: raw\n        steps: [ { set: { ZZZ-1: x } } ]\n      - bus\n"
        )
    )
    states = [
        (one.destination, one.state) for one in evaluate(configuration, stored(adt(), "gam"), references).deliveries
    ]
    assert states == [("dpi", DeliveryState.PENDING), ("raw", DeliveryState.DEAD), ("bus", DeliveryState.PENDING)]


def test_a_mixed_comparison_stops_the_route(small, references, stored):
    """A condition that can't be asked is a dead letter, not false."""
    configuration = small(routes("    when: PID-5.2 < 5\n    to: [dpi]\n"))
    [dead] = evaluate(configuration, stored(adt(), "gam"), references).deliveries
    assert (dead.code, dead.field) == ("E-COMPARE", "PID-5.2")


@pytest.mark.parametrize(
    ("on_no_match", "state", "code"),
    [("unrouted", MessageState.UNROUTED, "E-UNROUTED"), ("filter", MessageState.FILTERED, "E-FILTERED")],
)
def test_no_route_wants_it(small, references, stored, on_no_match, state, code):
    """Unrouted, or filtered where the route says so; each with a reason."""
    configuration = small(routes(f"    when: type == ORU\n    on_no_match: {on_no_match}\n    to: [dpi]\n"))
    decision = evaluate(configuration, stored(adt(), "gam"), references)
    assert (decision.state, decision.code, decision.deliveries) == (state, code, [])
    assert decision.reason
    assert decision.keys


def test_no_match_as_dead_letter(small, references, stored):
    """A dead delivery for each destination, unless another route wanted the message."""
    strict = "    when: type == ORU\n    on_no_match: dead_letter\n    to: [dpi]\n"
    decision = evaluate(small(routes(strict)), stored(adt(), "gam"), references)
    assert [(one.code, one.kind) for one in decision.deliveries] == [("E-NO-MATCH", DeliveryKind.BODILESS)]
    assert decision.state is MessageState.ROUTED
    decision = evaluate(small(routes(strict, "    to: [raw]\n")), stored(adt(), "gam"), references)
    assert [one.destination for one in decision.deliveries] == ["raw"]


def test_drop(small, references, stored):
    """A dropped message is filtered with the reason; a dropped exit leaves the others."""
    decision = evaluate(
        small(routes("    steps: [ { drop: enough } ]\n    to: [dpi]\n")), stored(adt(), "gam"), references
    )
    assert (decision.state, decision.reason) == (MessageState.FILTERED, "enough")
    decision = evaluate(
        small(routes("    to:\n      - destination: dpi\n        steps: [ { drop: enough } ]\n      - raw\n")),
        stored(adt(), "gam"), references,
    )  # fmt: skip
    assert [one.destination for one in decision.deliveries] == ["raw"]


def test_bytes_that_are_no_message(small, references, stored):
    """What can't be parsed is dead with the parser's sentence."""
    message = stored(adt(), "gam")
    message.raw = b"no message at all"
    decision = evaluate(small(routes("    to: [dpi]\n")), message, references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-PARSE")
    assert decision.reason


def test_unknown_source(small, references, stored):
    """A message of a source that is no more is dead, not lost."""
    decision = evaluate(small(routes("    to: [dpi]\n")), stored(adt(), "gone"), references)
    assert (decision.state, decision.code) == (MessageState.DEAD, "E-SOURCE")


def test_an_error_of_our_own_is_the_routers(small, references, stored):
    """It goes up as it is: the router makes the message dead and logs the place."""

    class Broken(Step):
        def apply(self, context):
            raise ValueError("DOE JANE")

    configuration = small(routes("    steps: [ { tag: x } ]\n    to: [dpi]\n"))
    configuration.routes_of["gam"][0].steps["cha/ipp"] = (Broken(),)
    with pytest.raises(ValueError, match="DOE"):
        evaluate(configuration, stored(adt(), "gam"), references)


@pytest.mark.parametrize("exit_", [False, True], ids=["route", "entry of to"])
def test_reject(small, references, stored, exit_):
    """Code and reason for the sender; what other routes made of the message isn't delivered; a retry dies."""
    base = SMALL.replace("untyped: ipp }", "untyped: ipp, ack: after_route }")
    steps = '    steps: [ { reject: { code: AR, reason: "not {event}" } } ]\n'
    late = f"    to:\n      - destination: dpi\n    {steps}" if exit_ else f"{steps}    to: [dpi]\n"
    configuration = small(routes("    to: [raw]\n", late, "    to: [bus]\n"), base=base)
    decision = evaluate(configuration, stored(adt(), "gam"), references)
    assert (decision.state, decision.code, decision.reason) == (MessageState.REJECTED, "AR", "not A01")
    assert decision.deliveries == []
    assert decision.keys
    again = render_again(configuration, stored(adt(), "gam"), references, "r2", "dpi", delivery_id(7, 0))
    assert (again.state, again.code) == (DeliveryState.DEAD, "E-REJECTED")


def test_what_a_charset_lacks_is_a_finding(small, references, stored):
    """`unencodable: replace` leaves a trace."""
    base = SMALL.replace("dead_letter: { lane: park }", "encode: { charset: ascii, unencodable: replace }")
    decision = evaluate(small(routes("    to: [dpi]\n"), base=base), stored(adt(), "gam"), references)
    assert decision.findings == ["unencodable"]


@pytest.mark.parametrize("destination", ["dpi", "raw"], ids=["by patient", "without order"])
def test_patients_are_known_whatever_the_order(small, references, stored, destination):
    """A retransmission is told by its patients also where destinations keep no order."""
    configuration = small(routes(f"    to: [{destination}]\n"))
    one, other = (evaluate(configuration, stored(adt(ipp=ipp), "gam"), references) for ipp in ("111", "112"))
    assert len(one.patients) == len(other.patients) == 1
    assert one.patients != other.patients


@pytest.mark.parametrize(
    ("destination", "before", "after"),
    [("bus", '"ght/{site}/adt/{event}"', '"{event}"'), ("raw", '"{site}-{event}-{id}.hl7"', '"{event}.hl7"')],
)
def test_no_target(small, references, stored, destination, before, after):
    """No topic and no file name is a dead letter of that entry only; it goes nowhere else."""
    configuration = small(routes(f"    to: [{destination}, dpi]\n"), base=SMALL.replace(before, after))
    decision = evaluate(configuration, stored(adt(event=""), "gam"), references)
    assert [(one.state, one.code) for one in decision.deliveries] == [
        (DeliveryState.DEAD, "E-TARGET"), (DeliveryState.PENDING, ""),
    ]  # fmt: skip


def test_lanes_before_and_after_the_steps(small, references, stored):
    """A step that changes the identifier adds a lane; one that completes its authority doesn't."""

    def lanes(steps: str, by: str = "patient") -> tuple[int, ...]:
        configuration = small(routes(f"    order_by: {by}\n    steps: [ {steps} ]\n    to: [dpi]\n"))
        return evaluate(configuration, stored(adt(), "gam"), references).deliveries[0].lanes

    received = (references.hash("patient", "1.2.250.1.999.10.1|PI", "111"),)
    assert lanes("{ tag: x }") == received
    assert lanes("{ normalise_authorities: { on_unknown: keep } }") == received
    changed = lanes('{ set: { PID-3.1: "222" } }')
    assert changed == (*received, references.hash("patient", "1.2.250.1.999.10.1|PI", "222"))
    assert lanes("{ tag: x }", "none") == ()
    assert lanes("{ tag: x }", "all") == (references.hash("all", "", ""),)
    assert lanes("{ tag: x }", "[ipp]") == (references.hash("ipp", "1.2.250.1.999.10.1|PI", "111"),)
    assert lanes("{ tag: x }", "[nda]") == (references.hash("source", "", "gam"),)


def test_no_patient_is_the_lane_of_the_source(small, references, stored):
    """A message that names no patient keeps its order within its source."""
    [delivery] = evaluate(small(routes("    to: [dpi]\n")), stored(adt(ipp=""), "gam"), references).deliveries
    assert delivery.lanes == (references.hash("source", "", "gam"),)


def test_findings_and_tags(small, references, stored):
    """What is odd about the message, what steps flagged and tagged."""
    raw = adt(charset="8859/1")
    decision = evaluate(small(routes("    steps: [ { tag: x } ]\n    to: [dpi]\n")), stored(raw, "gam"), references)
    assert decision.charset_finding == "charset-mismatch"
    assert decision.findings == ["charset-mismatch", "tag:x"]


def test_odd_delimiters_leave_as_usual_ones(small, references, stored):
    """Steps and destinations see `|^~\\&` whatever the sender uses."""
    raw = adt().replace(b"|", b"$").replace(b"^", b"%").replace(b"MSH$%~\\&", b"MSH$%~\\&")
    [delivery] = evaluate(small(routes("    to: [dpi]\n")), stored(raw, "gam"), references).deliveries
    assert delivery.rendered is not None
    assert delivery.rendered.startswith(b"MSH|^~\\&|A|000000026|C|D|20260301||ADT^A01|7-0|P|2.5")


def test_as_received_keeps_what_no_step_touched(small, references, stored):
    """CRLF ends and latin-1 stay; only the field that a step wrote differs."""
    raw = adt(charset="8859/1").decode().replace("\r", "\r\n").encode("latin-1")
    configuration = small(routes('    steps: [ { set: { PV1-4: "É" } } ]\n    to: [raw]\n'))
    [delivery] = evaluate(configuration, stored(raw, "gam"), references).deliveries
    assert delivery.rendered == raw.replace(b"|1010\r", b"|1010|\xc9\r")
    assert delivery.payload_kind is PayloadKind.SPLICES
    assert splices.apply(raw, delivery.payload or b"", base_of) == delivery.rendered
    assert delivery.control_id == "9"


def test_render_again(small, references, stored):
    """A retry renders under today's configuration, keeps the id, and dies again where the step still fails."""
    message = stored(adt(), "gam")
    fixed = small(routes("    when: type == ORU\n    steps: [ { set: { PV1-4: R } } ]\n    to: [dpi]\n"))
    delivery = render_again(fixed, message, references, "r1", "dpi", delivery_id(7, 3))
    assert (delivery.id, delivery.state, delivery.control_id) == (delivery_id(7, 3), DeliveryState.PENDING, "7-3")
    assert b"|7-3|" in (delivery.rendered or b"")
    broken = small(routes("    steps: [ { set: { ZZZ-4: R } } ]\n    to: [dpi]\n"))
    again = render_again(broken, message, references, "r1", "dpi", delivery_id(7, 3))
    assert (again.id, again.state, again.kind) == (delivery_id(7, 3), DeliveryState.DEAD, DeliveryKind.BODILESS)
    with pytest.raises(OperationRefused):
        render_again(fixed, message, references, "gone", "dpi", 1)
    with pytest.raises(OperationRefused):
        render_again(fixed, message, references, "r1", "raw", 1)


def test_cost(delivered, references, stored):
    """
    One admission through the delivered routes costs some 2,000 steps, and is read twice at most.

    Once for its walk, once more where what leaves is compared with what came.
    """
    message = stored("cha_a01.hl7", "gam_cha")
    evaluate(delivered, message, references)  # what is remembered for the next one
    called = calls(lambda: evaluate(delivered, message, references))
    assert called.count("Message.parse") == 2
    assert len(called) < 4_000
