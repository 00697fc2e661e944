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
    """Values that become different codes are an error rather than a guess; foreach does them one by one."""
    with pytest.raises(StepFailed) as caught:
        run(SIMPLE.format(field='"OBX[*]-3.1"', missing="keep"))
    assert caught.value.code == "E-MAP-SEVERAL"
    done = run("  - foreach: OBX\n    do:\n    " + SIMPLE.format(field="'.3.1'", missing="keep"))
    assert [line[:10] for line in done.lines[3:5]] == ["OBX|1|CE|a", "OBX|2|CE|b"]


def test_refused(compiled):
    """What `map` can't do without doesn't load."""
    assert compiled("  - map: { field: PV1-3.1, table: codes, take: to }").codes == ["E120"]
    assert compiled("  - map: { table: codes, take: to, on_missing: keep }").codes == ["E105"]
    assert compiled("  - map: { field: PV1-3, table: codes, on_missing: keep }").codes == ["E105"]
    assert compiled("  - map: { field: PV1-3, table: codes, take: x, on_missing: keep }").codes == ["E121"]
    assert compiled("  - map: { field: PV1-3, table: code, take: to, on_missing: keep }").codes == ["E116"]
    assert compiled("  - map: { field: PV1-3, table: codes, take: to, on_missing: { } }").codes == ["E110"]
