"""The delivered routes.yaml takes what real systems send to where it must be."""

from __future__ import annotations

import json

import pytest

from engine.core import splices
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryFlag, DeliveryKind, PayloadKind
from engine.parsers import base_of
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.routes import casereading, check
from engine.routes.evaluation import evaluate
from engine.routes.identifying import knows_nobody
from engine.trials.judging import judge
from engine.trials.running import run_case

from .conftest import ROOT

GAM = [
    ("gam_cha", "cha_a28.hl7"),
    ("gam_cha", "cha_a31.hl7"),
    ("gam_cha", "cha_a01.hl7"),
    ("gam_cha", "cha_a02.hl7"),
    ("gam_cha", "cha_z99.hl7"),
    ("gam_cha", "cha_a44.hl7"),
    ("gam_cha", "cha_a40.hl7"),
    ("gam_cha", "cha_a47_ins.hl7"),
    ("gam_cha", "cha_a03.hl7"),
    ("gam_cha", "cha_a08.hl7"),
    ("gam_cha", "cha_a05_untyped.hl7"),
    ("gam_chb", "chb_a01.hl7"),
    ("gam_chc", "chc_a08.hl7"),
    ("lis_ght", "lis_oru.hl7"),
    ("ris_ght", "ris_orm.hl7"),
]


@pytest.mark.parametrize(("source", "name"), GAM, ids=[name for _, name in GAM])
def test_reaches_the_record(delivered, references, stored, source, name):
    """Whatever a real admission system, LIS or RIS sends reaches the DPI, and what is stored gives what is sent."""
    message = stored(name, source)
    decision = evaluate(delivered, message, references)
    assert (decision.state, decision.code, decision.reason) == (MessageState.ROUTED, "", "")
    delivery, *others = decision.deliveries
    assert (delivery.destination, delivery.state, delivery.kind) == ("dpi", DeliveryState.PENDING, DeliveryKind.BYTES)
    assert [(one.destination, one.state) for one in others] in ([], [("events", DeliveryState.PENDING)])
    assert delivery.control_id == "7-0"
    assert delivery.lanes
    sent = delivery.rendered
    assert sent is not None
    assert b"\n" not in sent
    assert sent.endswith(b"\r")
    assert b"|UNICODE UTF-8" in sent
    again = Message.parse(sent)
    assert Path.parse("MSH-10").first(again) == "7-0"
    assert not [finding for finding in again.findings if finding.startswith("charset")]
    if delivery.payload_kind is PayloadKind.SPLICES:
        assert delivery.payload is not None
        assert len(delivery.payload) < len(sent)
        assert splices.apply(message.raw, delivery.payload, base_of) == sent


def test_identifiers_get_complete_authorities_and_the_rest_stays(delivered, references, stored):
    """CPage's names become the declared ones; archive number and third party stay byte for byte; values too."""
    decision = evaluate(delivered, stored("cha_a01.hl7", "gam_cha"), references)
    sent = decision.deliveries[0].rendered
    assert sent is not None
    text = sent.decode()
    assert "|G00000000196^^^GHT-IPP&1.2.250.1.999.1.1&ISO^PN~900099044638^^^CHA-IPP&" in text
    assert "~900099044638^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI~AR4638^^^ARCHIVES^MR~7f3a4638^^^Doctolib|" in text
    assert "|900000153^^^CHA-SEJOUR&1.2.250.1.999.12.1&L^AN|" in text
    assert "|41544^^^CHA-SEJOUR&1.2.250.1.999.12.1&L^VN\r" in text
    assert "PV1|1|I|T-CHA-URG^102^1^&000780064&N|" in text
    assert "\rZFP|\r" in text
    assert "ÉTIENNE^Zoé" in text


def test_a_bare_number_gets_the_authority_of_its_site(delivered, references, stored):
    """`untyped: ipp` completes a first repetition without CX-4; a bare PID-18 is the stay of that site."""
    decision = evaluate(delivered, stored("lis_oru.hl7", "lis_ght"), references)
    assert decision.site == "cha"
    text = (decision.deliveries[0].rendered or b"").decode()
    assert "PID|1||900099044638^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI|" in text
    assert "|900000153^^^CHA-SEJOUR&1.2.250.1.999.12.1&L^AN\r" in text
    assert decision.deliveries[0].flags == DeliveryFlag.RESULT


def test_finess_tells_the_authority(delivered, references, stored):
    """HD-3 `M` and a FINESS are as good as the OID."""
    decision = evaluate(delivered, stored("chb_a01.hl7", "gam_chb"), references)
    text = (decision.deliveries[0].rendered or b"").decode()
    assert "0000042^^^CHB-IPP&1.2.250.1.999.20.1&ISO^PI" in text
    assert "B26000007^^^CHB-NDA&1.2.250.1.999.22.1&ISO^AN" in text
    assert "V77^^^CHB-VENUE&1.2.250.1.999.23.1&ISO^VN" in text
    assert "Œuvrard" in text


def test_messages_of_one_patient_share_a_lane(delivered, references, stored):
    """Admission, merge, move of a stay and result of one patient wait for each other, whatever their source."""
    known = knows_nobody()

    def lanes(name: str, source: str) -> set[int]:
        return set(evaluate(delivered, stored(name, source), references, None, known).deliveries[0].lanes)

    admission = lanes("cha_a01.hl7", "gam_cha")
    assert len(admission) == 2, "of the number that nobody knew, and of the patient whom it made known"
    (patient,) = lanes("cha_a05_untyped.hl7", "gam_cha")
    assert patient in admission
    assert lanes("lis_oru.hl7", "lis_ght") == {patient}
    assert patient in lanes("cha_a44.hl7", "gam_cha")
    assert patient in lanes("cha_a40.hl7", "gam_cha")
    other = lanes("chb_a01.hl7", "gam_chb")
    assert not admission & other
    assert lanes("ris_orm.hl7", "ris_ght") < other


def test_identity_events_are_flagged(delivered, references, stored):
    """A merge is an identity event, an admission is none."""
    assert evaluate(delivered, stored("cha_a40.hl7", "gam_cha"), references).deliveries[0].flags == (
        DeliveryFlag.IDENTITY_EVENT
    )
    assert evaluate(delivered, stored("cha_a01.hl7", "gam_cha"), references).deliveries[0].flags == 0


def test_training_messages_are_filtered(delivered, references, stored):
    """MSH-11 `T` is taken, and filtered with a reason."""
    decision = evaluate(delivered, stored("cha_a01_training.hl7", "gam_cha"), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.FILTERED, "E-PROCESSING", "MSH-11.1")
    assert decision.deliveries == []


def test_a_hprim_file_is_archived_as_received(delivered, references, stored):
    """A laboratory's file goes to the archive byte for byte, under a safe name."""
    message = stored("labo_h21.hpr", "labo_ville")
    decision = evaluate(delivered, message, references)
    assert decision.state is MessageState.ROUTED, decision.reason
    result, delivery = decision.deliveries
    assert (result.destination, result.state) == ("dpi", DeliveryState.PENDING)
    assert (delivery.destination, delivery.payload_kind, delivery.payload) == ("archive", PayloadKind.RAW, None)
    assert delivery.rendered == message.raw
    assert delivery.target == "cha-labo_ville-7-1.hpr"
    assert delivery.lanes == ()


def test_no_event_holds_a_trait(delivered, references, stored):
    """What others hear on the bus: codes and numbers; nothing of PID, nobody's number."""
    body = evaluate(delivered, stored("cha_a01.hl7", "gam_cha"), references).deliveries[1].rendered
    assert body is not None
    told = json.loads(body)
    assert set(told) == {"v", "message", "site", "event", "movement", "action", "corrects", "since", "unit"}
    for value in ("900099044638", "900000153", "TIENNE", "1984", "0400000000"):
        assert value not in body.decode()


def test_its_own_tests_pass():
    """`passerelle test` finds those of each route, and those of tests/routes; all of them pass."""
    configuration, findings = check(ROOT / "routes.yaml", environment={}, tests=casereading.test_files(ROOT))
    assert configuration is not None, findings
    assert [finding.render() for finding in findings] == []
    assert {case.route for case in configuration.cases} >= {route.name for route in configuration.routes}
    assert len(configuration.cases) >= 25
    failures = {case.name: judge(case, run_case(configuration, case)) for case in configuration.cases}
    assert {name: found for name, found in failures.items() if found} == {}


def test_it_needs_no_python():
    """Analysts write it: no step calls code of the hospital's own."""
    text = (ROOT / "routes.yaml").read_text(encoding="utf-8")
    assert "python" not in text
