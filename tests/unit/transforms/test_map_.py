"""`map` replaces codes through a table."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed

MAP = (
    '  - map: {{ field: {field}, table: uf, match: {{ site: "{{site}}", code: "{{value}}" }}, '
    "take: dpi, on_missing: {missing} }}"
)
SIMPLE = "  - map: {{ field: {field}, table: codes, take: to, on_missing: {missing} }}"


def test_takes_the_code(run):
    """The code of the site's row; `*` stands for any other."""
    assert "PV1|1|I|T1^2" in run(MAP.format(field="PV1-3.1", missing="dead_letter")).text
    assert "PV1|1|I|1010^T9" in run(MAP.format(field="PV1-3.2", missing="dead_letter")).text


def test_miss_is_a_dead_letter_that_names_the_field(run):
    """`dead_letter` stops the route and shows no value."""
    with pytest.raises(StepFailed) as caught:
        run(SIMPLE.format(field="PV1-3.1", missing="dead_letter"))
    assert (caught.value.code, caught.value.field) == ("E-MAP-MISS", "PV1-3.1")
    assert "1010" not in str(caught.value)


def test_other_answers_to_a_miss(run):
    """`keep` leaves the code, `set` writes a text, `flag` leaves a finding."""
    assert "|1010^2" in run(SIMPLE.format(field="PV1-3.1", missing="keep")).text
    assert "|?1010^2" in run(SIMPLE.format(field="PV1-3.1", missing='{ set: "?{value}" }')).text
    done = run(SIMPLE.format(field="PV1-3.1", missing="{ flag: unit }"))
    assert done.context.findings == ["unit PV1-3.1"]


def test_absent_and_null_are_skipped(run):
    """An absent or null field isn't a missing code."""
    run(SIMPLE.format(field="PID-9", missing="dead_letter"))
    run(SIMPLE.format(field="PID-30", missing="dead_letter"))
    run(SIMPLE.format(field="ZBE-7.10", missing="dead_letter"))


def test_write_several(run):
    """`write` puts several columns to several paths."""
    done = run(
        "  - map:\n      field: PV1-3.1\n      table: uf\n      match: { code: '{value}' }\n"
        "      write: { PV1-3.1: dpi, PV1-3.9: label }\n      on_missing: keep"
    )
    assert "PV1|1|I|T1^2^^^^^^^Urgences" in done.text


def test_several_values(run):
    """Each of several values becomes its own code; empty fields beside them stay so."""
    done = run(
        SIMPLE.format(field='"OBX[*]-3.1"', missing="keep"),
        message='MSH|^~\\&|A\rOBX|1|CE|A^1\rOBX|2|CE\rOBX|3|CE|B^2\rOBX|4|CE|C\rOBX|5|CE|""\r',
    )
    assert done.lines[1:6] == ["OBX|1|CE|a^1", "OBX|2|CE", "OBX|3|CE|b^2", "OBX|4|CE|C", 'OBX|5|CE|""']
    with pytest.raises(StepFailed) as caught:
        run(SIMPLE.format(field='"OBX[*]-5"', missing="dead_letter"))
    assert (caught.value.code, caught.value.field) == ("E-MAP-MISS", "OBX[*]-5")


def test_several_values_and_write(run):
    """What one row writes elsewhere can't be said of two."""
    step = "  - map: { field: 'OBX[*]-3.1', table: codes, write: { OBX-4: to }, on_missing: keep }"
    with pytest.raises(StepFailed) as caught:
        run(step)
    assert caught.value.code == "E-MAP-SEVERAL"
    done = run(step, message="MSH|^~\\&|A\rOBX|1|CE|A\rOBX|2|CE|A\r")
    assert done.lines[1:3] == ["OBX|1|CE|A|a", "OBX|2|CE|A"]


DATED = "  - map: {{ field: PV1-3.1, table: dated, take: to, at: {at}, on_missing: dead_letter }}"


@pytest.mark.parametrize(
    ("day", "code"), [("20260228235959", "old"), ("20260301", "new"), ("20260301000000+0100", "new")]
)
def test_at_a_day(run, day, code):
    """The row that is valid on the day that the message says."""
    message = f"MSH|^~\\&|A|B|C|D|{day}\rPV1|1|I|1010\r"
    assert f"PV1|1|I|{code}\r" in run(DATED.format(at="MSH-7"), message=message).text
    assert f"PV1|1|I|{code}\r" in run(DATED.format(at="[EVN-2, PV1-2, MSH-7]"), message=message).text


def test_no_day(run, compiled):
    """A date of less than a day, or none, is a dead letter; a code that is absent needs none."""
    with pytest.raises(StepFailed) as caught:
        run(DATED.format(at="[EVN-2, MSH-7]"), message="MSH|^~\\&|A|B|C|D|202603\rPV1|1|I|1010\r")
    assert (caught.value.code, caught.value.field) == ("E-MAP-DATE", "EVN-2")
    run(DATED.format(at="EVN-2"), message="MSH|^~\\&|A\rPV1|1|I\r")
    assert compiled(DATED.format(at="MSH-7").replace("at: MSH-7, ", "")).codes == ["E120"]
    assert compiled(SIMPLE.format(field="PV1-3.1", missing="keep, at: MSH-7")).codes == ["E118"]


def test_refused(compiled):
    """What `map` can't do without doesn't load."""
    assert compiled("  - map: { field: PV1-3.1, table: codes, take: to }").codes == ["E120"]
    assert compiled("  - map: { table: codes, take: to, on_missing: keep }").codes == ["E105"]
    assert compiled("  - map: { field: PV1-3, table: codes, on_missing: keep }").codes == ["E105"]
    assert compiled("  - map: { field: PV1-3, table: codes, take: x, on_missing: keep }").codes == ["E121"]
    assert compiled("  - map: { field: PV1-3, table: code, take: to, on_missing: keep }").codes == ["E132"]
    assert compiled("  - map: { field: PV1-3, table: codes, take: to, on_missing: { } }").codes == ["E110"]


def test_all_that_tells_rows_apart_is_asked(compiled):
    """Else another hospital's row would be taken; back from the codes a table may be asked by other columns."""
    step = "  - map: {{ field: PV1-3.1, table: keyed, {match}take: {take}, on_missing: keep }}"
    by_code = compiled(step.format(match='match: { code: "{value}" }, ', take="dpi"))
    assert [(one.code, one.hint) for one in by_code.findings] == [("E121", 'add to match: site: "{site}"')]
    plain = compiled(step.format(match="", take="dpi"))
    assert [(one.code, one.hint) for one in plain.findings] == [("E121", "add match: with site and code")]
    both = 'match: { site: "{site}", code: "{value}" }, '
    assert compiled(step.format(match=both, take="dpi")).codes == []
    back = 'match: { site: "{site}", dpi: "{value}" }, '
    assert compiled(step.format(match=back, take="code")).codes == []


def test_a_code_that_stands_twice_may_be_two_hospitals(compiled):
    """It isn't told to delete one of their rows."""
    step = "  - map: { field: PV1-3.1, table: twice, match: { code: '{value}' }, take: dpi, on_missing: keep }"
    (found,) = compiled(step).findings
    assert found.hint == 'add to match: site: "{site}"; these rows may be of two hospitals'


def test_a_match_that_is_the_same_for_every_code(compiled):
    """A warning: the table isn't asked for the value."""
    step = "  - map: {{ field: PV1-3.1, table: codes, match: {{ code: '{text}' }}, take: to, on_missing: keep }}"
    assert compiled(step.format(text="A{site}")).codes == ["W210"]
    assert compiled(step.format(text="{PV1-3.2}")).codes == []
