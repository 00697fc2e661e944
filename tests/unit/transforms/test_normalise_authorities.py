"""`normalise_authorities` completes CX-4 and CX-5."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed

STEP = "  - normalise_authorities: { on_unknown: keep }"
HEAD = "MSH|^~\\&|A|B|C|D|20260301||ADT^A01|1|P|2.5\r"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1^^^X&1.2.3.1&ISO^PI", "1^^^IPP&1.2.3.1&ISO^PI"),
        ("1^^^1.2.3.1^PI", "1^^^IPP&1.2.3.1&ISO^PI"),
        ("1^^^X&1.2.3.1&L^RI", "1^^^IPP&1.2.3.1&ISO^PI"),
        ("1^^^&1.2.3.1&ISO", "1^^^IPP&1.2.3.1&ISO^PI"),
        ("1^^^&000000026&M^PI", "1^^^IPP&1.2.3.1&ISO^PI"),
        ("1", "1^^^IPP&1.2.3.1&ISO^PI"),
        ("1^^^^PI^FAC", "1^^^IPP&1.2.3.1&ISO^PI^FAC"),
        ("0001^^^X&1.2.3.1&ISO^PI~9", "0001^^^IPP&1.2.3.1&ISO^PI~9"),
        ("1^^^Doctolib", "1^^^Doctolib"),
        ("1^^^X&1.2.3.1&ISO^MR", "1^^^X&1.2.3.1&ISO^MR"),
        ("2^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^NH", "2^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^NH"),
        ('""', '""'),
        ("^^^X&1.2.3.1&ISO^PI", "^^^X&1.2.3.1&ISO^PI"),
    ],
)
def test_pid_3(run, before, after):
    """Known ones become complete, everything else stays byte for byte; values are never touched."""
    assert run(STEP, f"{HEAD}PID|1||{before}|x\r").lines[1] == f"PID|1||{after}|x"


def test_stays_and_merges(run):
    """PID-18 is a stay, PV1-19 a visit, under one OID; a bare one is the site's; MRG-1 and MRG-3 too."""
    pid = "PID|1||1" + "|" * 15 + "N1"
    pv1 = "PV1|1" + "|" * 18 + "V1^^^&1.2.3.2&L"
    done = run(STEP, f"{HEAD}{pid}\rPV1|1\r{pv1}\rMRG|2^^^&1.2.3.1^PI||N2\r")
    assert done.lines[1].endswith("|N1^^^NDA&1.2.3.2&ISO^AN")
    assert done.lines[3].endswith("|V1^^^NDA&1.2.3.2&ISO^VN")
    assert done.lines[4] == "MRG|2^^^IPP&1.2.3.1&ISO^PI||N2^^^NDA&1.2.3.2&ISO^AN"


def test_on_unknown(run):
    """`dead_letter` and `flag` are about a field none of whose identifiers is known."""
    step = "  - normalise_authorities: {{ fields: [PID-3], on_unknown: {} }}"
    unknown = f"{HEAD}PID|1||1^^^Z^PI\r"
    with pytest.raises(StepFailed) as caught:
        run(step.format("dead_letter"), unknown)
    assert (caught.value.code, caught.value.field) == ("E-AUTHORITY", "PID-3")
    assert run(step.format("flag"), unknown).context.findings == ["unknown-authority PID-3"]
    run(step.format("dead_letter"), f"{HEAD}PID|1||1^^^Z^PI~2^^^&1.2.3.1^PI\r")


def test_nothing_to_do_changes_nothing(run):
    """A complete identifier isn't an edit."""
    done = run(STEP, f"{HEAD}PID|1||1^^^IPP&1.2.3.1&ISO^PI\r")
    assert done.context.message.splices() == []


def test_refused(compiled):
    """`on_unknown` must be said; fields are whole fields."""
    assert compiled("  - normalise_authorities: { fields: PID-3 }").codes == ["E120"]
    assert compiled("  - normalise_authorities: { fields: PID-3.1, on_unknown: keep }").codes == ["E112"]
