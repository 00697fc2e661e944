"""
A generated population, the truth of which is known: no false link, whatever the establishments say.

The figures of the long run are in docs/developers/identity.md.
"""

from __future__ import annotations

import pytest

from tests.support.population import Maker, describe, read_of, run


@pytest.mark.parametrize(
    ("people", "seed"),
    [
        (10_000, 1),
        pytest.param(200_000, 2, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_no_false_link(people, seed, capsys):
    """Numbers of two people are never one patient's; what an INS qualified on both sides allows is linked."""
    report = run(Maker(people, seed).world())
    with capsys.disabled():
        print("", *describe(report), sep="\n")
    assert report.false_links() == []
    linked, whole = report.recall()
    assert whole > people // 10
    assert linked / whole > 0.97, "what is missing is in dead letters: duplicates inside one hospital, a wrong INS"
    assert set(report.reviews()) >= {
        "same-traits",
        "ins-one-side",
        "ins-no-contract",
        "ins-minor",
        "ins-traits",
        "merge",
    }
    assert sum(report.reviews().values()) < people * 2


def test_as_messages():
    """Written as HL7 and read again, the same population is decided in the same way."""
    world = Maker(600, 3).world()
    direct, read = run(world), run(world, read_of)
    assert (read.decisions, read.dead, read.reviews()) == (direct.decisions, direct.dead, direct.reviews())
    assert read.view.identifiers == direct.view.identifiers
    assert read.false_links() == []
