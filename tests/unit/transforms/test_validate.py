"""`validate` compares a message with a profile."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.errors import StepFailed
from engine.transforms.validate import FLAGS_MAX

MESSAGE = (
    "MSH|^~\\&|A|B|C|D|20260301||ADT^A01^ADT_A01|1|P|2.5\rEVN||20260301\r"
    "PID|1||7^^^A^PI||DOE^JANE||19840230~1984|F\rPV1|1|I|1010^2\rOBX|1|NM|A||x||||||F\rOBX|2|NM|A||y||||||F\r"
)


def test_flag(run):
    """Errors are noted by rule and place, each once; the message goes on as it is."""
    done = run("  - validate: { profile: hl7-2.x, on_error: flag }", MESSAGE)
    assert done.context.findings == ["invalid repeated PID-7", "invalid type PID-7.1", "invalid type OBX-5"]
    assert done.text == MESSAGE


def test_dead_letter(run):
    """The first error, where it is, how many more; no value."""
    with pytest.raises(StepFailed) as caught:
        run("  - validate: { profile: hl7-2.x, on_error: dead_letter }", MESSAGE)
    assert (caught.value.code, caught.value.field) == ("E-VALIDATE", "PID-7")
    assert caught.value.reason == "hl7-2.x: date/time of birth may stand once, and 3 more"


def test_a_message_that_is_right(run):
    """Passes, and leaves nothing."""
    right = MESSAGE.replace("19840230~1984", "1984").replace("|x|", "|1|").replace("|y|", "|2|")
    assert run("  - validate: { profile: hl7-2.5, on_error: dead_letter }", right).context.findings == []


def test_warnings(run):
    """Are noted when they are asked for, and stop nothing."""
    odd = (
        MESSAGE.replace("19840230~1984", "1984")
        .replace("|x|", "|1|")
        .replace("|y|", "|2|")
        .replace("|F\rPV1", "|Q\rPV1")
    )
    assert run("  - validate: { profile: hl7-2.x, on_error: dead_letter }", odd).context.findings == []
    flagged = run("  - validate: { profile: hl7-2.x, on_error: dead_letter, warnings: flag }", odd)
    assert flagged.context.findings == ["doubtful user-table PID-8"]


def test_many_findings_are_counted(run):
    """A message of another standard would fill the trace."""
    many = "MSH|^~\\&|A|B|C|D|x||ADT^A01^ADT_A01|1|P|2.5\r" + "".join(f"PV1|{'x|' * number}\r" for number in range(60))
    findings = run("  - validate: { profile: hl7-2.x, on_error: flag }", many).context.findings
    assert len(findings) == FLAGS_MAX + 1
    assert findings[-1].startswith("invalid ")
    assert findings[-1].endswith(" more")


def test_what_is_no_hl7(run):
    """Is said, whatever on_error says: the route would deliver what nobody looked at."""
    with pytest.raises(StepFailed, match="E-VALIDATE: profiles are for HL7 v2, this is hprim-sante"):
        run("  - validate: { profile: hl7-2.x, on_error: flag }", MESSAGE, format="hprim-sante")


def test_what_doesnt_load(compiled):
    """on_error must be stated; a profile must be known."""
    assert compiled("  - validate: { profile: hl7-2.x }").codes == ["E120"]
    unknown = compiled("  - validate: { profile: pam-fr-2.12, on_error: flag }")
    assert unknown.codes == ["E153"]
    assert "pam-fr-2.11" in unknown.findings[0].hint
    assert compiled("  - validate: { on_error: flag }").codes == ["E105"]


def test_nobody_pays_for_profiles_who_names_none():
    """Neither the validator nor the dictionary is imported before a configuration has such a step."""
    program = (
        "import engine.transforms.verbs, sys;"
        "print([name for name in ('engine.validation.validator', 'engine.validation.opening') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
