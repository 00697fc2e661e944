"""The sentences that tell what is wrong with a path and what to write."""

from __future__ import annotations

import pytest

from engine.errors import PathError
from engine.parsers.pathwords import Selector, take_apart


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("", 0, "write a path as PID-3.1"),
        ("pid-3.1", 0, "write PID-3.1"),
        ("PID.3", 3, "write PID-3"),
        ("PID3.1", 3, "write PID-3.1"),
        ("PID_3", 3, "write PID-3"),
        ("PID-3-1", 5, "write PID-3.1"),
        ("PID-3(1)", 5, "write PID-3[1]"),
        ("PID(1)-3", 3, "write PID[1]-3"),
        ("PID-0", 4, "write PID-1"),
        ("PID-3.0", 6, "write PID-3.1"),
        ("PID-", 4, "fields are numbers that count from 1: PID-3.1"),
        ("PID-3.1.2.3", 9, "write PID-3.1.2"),
        ("PID-3.1[2]", 7, "write PID-3[2].1"),
        ("PID-3[*.1", 5, "write PID-3[*.1]"),
        ("PID-3[]", 6, "write [*], [1], [last] or a test as [5=PI]"),
        ("PID-3[0]", 6, "write [1]"),
        ("PID-3[PI].1", 6, "write [5=PI] for a type, [@PI] for an authority"),
        ("PID-3[5==PI].1", 6, "write [5=PI]"),
        ("PID-3[5=].1", 6, "write [5=PI]"),
        ("PID-3[@].1", 6, "write [@ipp], a name of `authorities:`"),
        ("PID[@ipp]-3", 4, "write it after the field: PID-3[@ipp].1"),
        ("OBX[+]-5", 4, "use the verb add, then write into it"),
        ("OBX[NM]-5", 4, "write [3=NM] to compare field 3"),
        ("PID-3[all].1", 6, "write [*]"),
        ("PID-3[first].1", 6, "write [1]"),
        ("PID 3", 0, "write PID3"),
        (" PID-3", 1, "write PID-3"),
        ("event", 0, "write a path as PID-3.1, ZBE-4 or OBX[*]-5"),
        (".", 1, "fields are numbers that count from 1: PID-3.1"),
        ("../OBR", 3, "write ../OBR-3"),
        ("../OBR[2]-3", 3, "write ../OBR-3"),
        ("../.3", 3, "write ../OBR-3"),
        ("../obr-3", 3, "write ../OBR-3"),
        ("../OBR_3", 6, "write ../OBR-3"),
        ("../../OBR-3", 3, "write ../OBR-3"),
        ("PID-3[12345]", 6, "write a smaller number, or [last]"),
        ("OBX[123456]-5", 4, "write a smaller number, or [last]"),
        ("PID-3[12345=PI]", 6, "write a number of at most four digits"),
        ("PID-3[4.12345=PI]", 6, "write a number of at most four digits"),
        ("PID-" + "0" * 5000, 4, "write a number of at most four digits"),
    ],
)
def test_what_is_wrong(text: str, column: int, hint: str) -> None:
    """Each mistake has its column and says what to write."""
    with pytest.raises(PathError) as refused:
        take_apart(text)
    assert (refused.value.column, refused.value.hint) == (column, hint)


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("PID-3[5=PI]", Selector("test", part=5, wanted=("PI",))),
        ("PID-3[5 != PI]", Selector("test", part=5, wanted=("PI",), negated=True)),
        ("PID-3[5 in PI, INS]", Selector("test", part=5, wanted=("PI", "INS"))),
        ("PID-3[5 in [PI,INS]]".replace("]]", "]"), Selector("test", part=5, wanted=("PI", "INS"))),
        ('PID-3[4.2="1.2,3]"]', Selector("test", part=4, subpart=2, wanted=("1.2,3]",))),
        ("PID-3[@ipp,ins]", Selector("authority", names=("ipp", "ins"))),
        ("PID-3[12]", Selector("number", number=12)),
    ],
)
def test_selectors(text: str, selector: Selector) -> None:
    """The language of ROUTES."""
    assert take_apart(text).repetition == selector
