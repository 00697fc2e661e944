"""Dates from one form to another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.transforms.dates import DateRefused, FormRefused, date_reader, date_writer


def convert(value: str, origin: str, to: str) -> str:
    return date_writer(to)(date_reader(origin)(value))


@pytest.mark.parametrize(
    ("value", "origin", "to", "result"),
    [
        ("31/12/1984", "%d/%m/%Y", "hl7", "19841231"),
        ("1/3/1984", "%d/%m/%Y", "hl7", "19840301"),
        ("1984-12-31T08:05", "%Y-%m-%dT%H:%M", "hl7", "198412310805"),
        ("19841231", "%Y%m%d", "%d/%m/%Y", "31/12/1984"),
        ("20260301123456.0078+0100", "hl7", "%Y-%m-%d %H:%M:%S %z", "2026-03-01 12:34:56 +0100"),
        ("20260301123456+0100", "hl7", "hl7", "20260301123456+0100"),
        ("202603", "hl7", "%m/%Y", "03/2026"),
        ("2026", "hl7", "%y", "26"),
        ("20260301", "hl7", "100%% %d", "100% 01"),
        ("12.5.2026 7", "%d.%m.%Y %H", "hl7", "2026051207"),
    ],
)
def test_forms(value, origin, to, result):
    """As the form says, to the precision that the value has."""
    assert convert(value, origin, to) == result


@pytest.mark.parametrize(
    ("value", "origin", "to"),
    [
        ("31/02/1984", "%d/%m/%Y", "hl7"),
        ("19841331", "hl7", "hl7"),
        ("1984123124", "hl7", "hl7"),
        ("198412310860", "hl7", "hl7"),
        ("1984", "hl7", "%d/%m/%Y"),
        ("19841231", "hl7", "%H"),
        ("1984123", "%Y%m%d", "hl7"),
        ("31/12/84", "%d/%m/%Y", "hl7"),
        ("", "hl7", "hl7"),
        ("٣١/١٢/١٩٨٤", "%d/%m/%Y", "hl7"),
        ("00000000", "hl7", "hl7"),
    ],
)
def test_refused_values(value, origin, to):
    """No such day, another form, or less than is asked for; the error shows no value."""
    with pytest.raises(DateRefused) as caught:
        convert(value, origin, to)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize("form", ["%d/%m/%y", "%d", "%Y %Y", "%Y%q", "%", "day"])
def test_forms_that_cannot_be_read(form):
    """A century, a year and known parts are needed."""
    with pytest.raises(FormRefused) as caught:
        date_reader(form)
    assert caught.value.hint


@pytest.mark.parametrize("form", ["%Q", "day", "%"])
def test_forms_that_cannot_be_written(form):
    """At least one known part."""
    with pytest.raises(FormRefused):
        date_writer(form)


@settings(deadline=None)
@given(st.datetimes())
def test_there_and_back(moment):
    """What is written in a form that says all reads back the same."""
    value = moment.strftime("%Y%m%d%H%M%S").zfill(14)
    assert convert(convert(value, "hl7", "%d/%m/%Y %H-%M-%S"), "%d/%m/%Y %H-%M-%S", "hl7") == value
