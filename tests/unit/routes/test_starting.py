"""A first configuration."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.routes import check
from engine.routes.formatting import formatted
from engine.routes.starting import NewSite, first_configuration, name_of
from engine.trials.judging import judge
from engine.trials.running import run_case

LABELS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@given(st.lists(st.tuples(LABELS, st.booleans()), min_size=1, max_size=5), LABELS)
@settings(max_examples=25, deadline=None)
def test_it_is_clean_whatever_the_answers(tmp_path_factory, labels, group):
    """Lint finds nothing, its test passes, and the layout is that of fmt."""
    folder = tmp_path_factory.mktemp("first")
    sites = [
        NewSite(
            name=f"{name_of(label)[:10]}_{rank}", label=label, finess_ej=f"2A{rank:07d}",
            oid=f"1.2.250.1.999.{rank}" if with_oid else "",
        )
        for rank, (label, with_oid) in enumerate(labels)
    ]  # fmt: skip
    text = first_configuration(group, sites, port=6101, dpi="[::1]:5500")
    (folder / "routes.yaml").write_text(text, encoding="utf-8", newline="")
    configuration, findings = check(folder / "routes.yaml", environment={}, tests=[])
    assert findings == []
    assert configuration is not None
    assert [site.label for site in configuration.sites.values()] == [label for label, _ in labels]
    assert [judge(case, run_case(configuration, case)) for case in configuration.cases] == [[]]
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("CH d'Arvigny", "arvigny"),
        ("Centre Hospitalier de la Côte", "cote"),
        ("CHU de Lille", "lille"),
        ("Hôpital Saint-Louis", "saint_louis"),
        ("CHâteau", "chateau"),
        ("123", "site"),
        ("", "site"),
    ],
)
def test_names(label, name):
    """As one would call it."""
    assert name_of(label) == name
