"""`convert` writes values in another form."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed

MESSAGE = 'MSH|^~\\&|A\rPID|1||0042^^^x~7^^^y||Doé^jane&b^\\.sp2\\n||31/12/1984|""\rOBX|1|TX|a||  b \rOBX|2|TX|a||c\r'


def converted(run, words: str, message: str = MESSAGE) -> list[str]:
    return run(f"  - convert: {{ {words} }}", message=message).lines


@pytest.mark.parametrize(
    ("words", "line", "after"),
    [
        ("field: PID-5.1, case: upper", 1, "||DOÉ^jane&b^"),
        ("field: PID-5, case: upper", 1, "||DOÉ^JANE&B^\\.sp2\\N|"),
        ("field: PID-5.2, case: upper", 1, "^JANE&B^"),
        ("field: PID-5.1, case: lower", 1, "||doé^"),
        ("field: 'OBX[*]-5', trim: both", 2, "||b"),
        ("field: 'OBX[*]-5', trim: left", 2, "||b "),
        ("field: 'OBX[*]-5', trim: right", 2, "||  b"),
        ("field: PID-3.1, trim: { side: left, of: '0' }", 1, "||42^^^x~7^^^y|"),
        ("field: 'PID-3[*].1', pad_left: { width: 6, fill: '0' }", 1, "||000042^^^x~000007^^^y|"),
        ("field: PID-3.1, pad_left: { width: 2, fill: '0' }", 1, "||0042^^^x"),
        ("field: PID-7, replace: { from: /, to: '' }", 1, "||31121984|"),
        ("field: PID-7, replace: { from: [/, '1'], to: '^' }", 1, "||3\\S\\\\S\\\\S\\2\\S\\\\S\\984|"),
        ("field: PID-5.1, truncate: 2", 1, "||Do^jane"),
        ("field: PID-7, date: { from: '%d/%m/%Y', to: hl7 }, on_error: dead_letter", 1, "||19841231|"),
        ("fields: [PID-5.1, PID-5.2.2], case: upper", 1, "||DOÉ^jane&B^"),
    ],
)
def test_conversions(run, words, line, after):
    """Leaf by leaf; delimiters, other repetitions and presentation escapes stay."""
    assert after in converted(run, words)[line]


def test_absent_and_null_are_skipped(run):
    """Nothing is made where nothing is, and an erasing null isn't converted."""
    done = run("  - convert: { fields: [PID-8, PID-9, ZZZ-1], pad_left: { width: 5, fill: x } }", message=MESSAGE)
    assert done.context.message.splices() == []


def test_zero_stays_zero(run):
    """To trim all zeros away would leave no number."""
    assert "|0|" in converted(run, "field: PID-2, trim: { of: '0' }", "MSH|^~\\&|A\rPID|1|000|\r")[1]


def test_what_is_cut_is_counted(run):
    """`truncate` loses something: a finding says where; not where nothing was lost."""
    words = "  - convert: { field: PID-5.1, truncate: %s }"
    assert run(words % 2, message=MESSAGE).context.findings == ["truncated PID-5.1"]
    assert run(words % 3, message=MESSAGE).context.findings == []


DATE = "field: PID-7, date: {{ from: [hl7, '%Y-%m-%d'], to: '%d.%m.%y %H:%M' }}, on_error: {error}"


def test_a_date_that_is_none(run):
    """As `on_error` says; the failure names the field and shows no value."""
    with pytest.raises(StepFailed) as caught:
        converted(run, DATE.format(error="dead_letter"))
    assert (caught.value.code, caught.value.field) == ("E-DATE", "PID-7")
    assert "1984" not in str(caught.value)
    assert "|31/12/1984|" in converted(run, DATE.format(error="keep"))[1]
    assert "|?31/12/1984|" in converted(run, DATE.format(error='{ set: "?{value}" }'))[1]
    done = run(f"  - convert: {{ {DATE.format(error='{ flag: birth }')} }}", message=MESSAGE)
    assert done.context.findings == ["birth PID-7"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("field: PID-7", "E105"),
        ("case: upper", "E105"),
        ("field: PID-7, case: upper, trim: both", "E105"),
        ("field: PID-7, date: { from: hl7, to: '%d' }", "E120"),
        ("field: PID-7, case: upper, on_error: keep", "E118"),
        ("field: PID-7, date: { from: '%d/%m/%y', to: hl7 }, on_error: keep", "E111"),
        ("field: PID-7, date: { from: hl7, to: '%Q' }, on_error: keep", "E111"),
        ("field: PID-7, pad_left: { width: 3, fill: '00' }", "E111"),
        ("field: PID-7, truncate: 0", "E111"),
        ("field: PID, case: upper", "E112"),
        ("field: PID-7, case: title", "E110"),
    ],
)
def test_refused(compiled, words, code):
    """What can't be, or doesn't say enough."""
    assert compiled(f"  - convert: {{ {words} }}").codes == [code]
