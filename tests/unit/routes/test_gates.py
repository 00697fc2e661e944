"""Gates at the exits of routes, as transcripts: what came, what left, to whom."""

from __future__ import annotations

import pathlib

import pytest

from engine.core import splices
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind, PayloadKind
from engine.parsers import base_of
from engine.routes.evaluation import evaluate, render_again

INS = "260058815400233^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
TEST = INS.replace(".4.8&", ".4.10&")
NUMBER = b"260058815400233"
IPP = "111^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI"
GATES = """
  record: { type: mllp, connect: "127.0.0.1:5501", may_have: [ins], production: yes, trust_source: [lis] }
  copy: { type: directory, path: out, encode: as_received, order_by: none, may_have: [ins, insurance], production: no }
"""
ROUTE = """
routes:
  r:
    from: [gam, lis]
    to: [{to}]
"""


def message(pid_3: str, status: str = "VALI", rest: str = "", event: str = "A31", end: str = "\r") -> bytes:
    head = f"MSH|^~\\&|A|000000026|C|D|20260301||ADT^{event}|9|P|2.5|||||FRA|8859/1"
    pid = f"PID|1||{pid_3}||DOÉ^ANNE" + "|" * 27 + status
    return (head + end + pid + end + rest).encode("latin-1")


@pytest.fixture
def decided(small, stored, references):
    def decide(raw: bytes, to: str, source: str = "gam", routes: str = ROUTE):
        configuration = small(GATES + routes.replace("{to}", to))
        return evaluate(configuration, stored(raw, source), references)

    return decide


def test_an_ins_qualified_for_the_record_and_for_nobody_else(decided):
    """One message to three: each gets what it may have; what left is what is stored."""
    raw = message(f"{IPP}~{INS}")
    decision = decided(raw, "dpi, record, raw, copy")
    dpi, record, plain, copy = decision.deliveries
    assert NUMBER not in dpi.rendered
    assert IPP.encode() in dpi.rendered
    assert NUMBER in record.rendered
    assert NUMBER not in plain.rendered
    assert "DOÉ".encode("latin-1") in plain.rendered
    assert (copy.rendered, copy.payload_kind) == (raw, PayloadKind.RAW)
    for delivery in (dpi, plain):
        assert delivery.payload_kind is PayloadKind.SPLICES
        assert splices.apply(raw, delivery.payload, base_of) == delivery.rendered
    assert decision.findings == ["ins-withheld PID-3 for dpi", "ins-withheld PID-3 for raw"]


def test_as_received_only_loses_what_may_not_leave(decided):
    """LF ends, latin-1: all else stays byte for byte."""
    raw = message(f"{IPP}~{INS}", end="\n")
    [delivery] = decided(raw, "raw").deliveries
    assert delivery.rendered == raw.replace(f"~{INS}".encode(), b"")


def test_a_status_that_is_not_qualified(decided):
    """The receiver's rule of PAM France, at our side: without the INS, not without the message."""
    decision = decided(message(f"{IPP}~{INS}", "PROV"), "record")
    [delivery] = decision.deliveries
    assert NUMBER not in delivery.rendered
    assert decision.findings == ["ins-unqualified PID-3 for record"]


def test_a_result_without_status_from_a_trusted_source(decided):
    """Its INS counts as qualified; the same from another source doesn't."""
    raw = message(f"{IPP}~{INS}", "")
    assert NUMBER in decided(raw, "record", "lis").deliveries[0].rendered
    assert NUMBER not in decided(raw, "record", "gam").deliveries[0].rendered


def test_a_test_identity_on_its_way_to_production(decided):
    """A dead letter in its lane, with code, field and sentence; elsewhere it may go."""
    decision = decided(message(f"{IPP}~{TEST}"), "record, copy")
    dead, copy = decision.deliveries
    assert (dead.state, dead.kind, dead.code, dead.field) == (
        DeliveryState.DEAD, DeliveryKind.BODILESS, "E-INS-TEST", "PID-3",
    )  # fmt: skip
    assert dead.lanes
    assert "record is in production" in dead.reason
    assert NUMBER.decode() not in dead.reason
    assert copy.state is DeliveryState.PENDING


def test_a_correction_of_the_ins_is_nothing_to_who_has_none(decided):
    """A47: filtered, with the reason; who may have the INS gets it whole."""
    raw = message(f"{IPP}~{INS.replace(NUMBER.decode(), chr(34) * 2)}", "PROV", f"MRG|{INS}\r", "A47")
    decision = decided(raw, "dpi")
    assert (decision.state, decision.code) == (MessageState.FILTERED, "E-FILTERED")
    assert "dpi may not have" in decision.reason
    assert decision.findings == ["ins-withheld PID-3 for dpi", "ins-withheld MRG-1 for dpi"]
    [record] = decided(raw, "dpi, record").deliveries
    assert record.destination == "record"
    assert NUMBER in record.rendered


def test_an_ins_without_any_local_number(decided):
    """Nothing leaves that would name no patient."""
    [dead] = decided(message(INS), "dpi").deliveries
    assert (dead.code, dead.field) == ("E-INS-ONLY", "PID-3")


def test_what_a_route_wrote_itself(decided):
    """A step that puts the INS elsewhere, with its authority, changes nothing."""
    routes = ROUTE.replace("    to:", '    steps: [ copy: { "PID-3[@ins]": PID-4 } ]\n    to:')
    [delivery] = decided(message(f"{IPP}~{INS}"), "dpi", routes=routes).deliveries
    assert NUMBER not in delivery.rendered


def test_what_a_template_wrote(decided, tmp_path: pathlib.Path):
    """A rendered body with the number is a dead letter; one without leaves."""
    (tmp_path / "t.json").write_text('{"id": "{PID-3[@ins].1}", "ipp": "{PID-3[@ipp].1}"}')
    (tmp_path / "u.json").write_text('{"ipp": "{PID-3[@ipp].1}"}')
    routes = (
        "\nroutes:\n  r:\n    from: [gam]\n    steps: [ render: { format: json, template: T.json } ]\n    to: [bus]\n"
    )
    [dead] = decided(message(f"{IPP}~{INS}"), "bus", routes=routes.replace("T.", "t.")).deliveries
    assert dead.code == "E-INS-BODY"
    [sent] = decided(message(f"{IPP}~{INS}"), "bus", routes=routes.replace("T.", "u.")).deliveries
    assert sent.rendered == b'{"ipp":"111"}' or b"111" in sent.rendered


def test_insurance(decided):
    """IN1-49 leaves only for who may have it."""
    raw = message(IPP, "VALI", f"IN1|1{'|' * 48}{NUMBER.decode()}\r")
    decision = decided(raw, "dpi, copy")
    dpi, copy = decision.deliveries
    assert NUMBER not in dpi.rendered
    assert copy.rendered == raw
    assert decision.findings == ["insurance-withheld IN1-49 for dpi"]


def test_a_retry_goes_through_the_gate(small, stored, references):
    """Today's configuration: a destination that lost its right gets nothing by an old message."""
    configuration = small(GATES + ROUTE.replace("{to}", "dpi"))
    delivery = render_again(configuration, stored(message(f"{IPP}~{INS}"), "gam"), references, "r", "dpi", 7 << 16)
    assert NUMBER not in delivery.rendered
