"""The list of verbs."""

from __future__ import annotations

import json
import pathlib

import pytest

from engine.transforms.verbs import VERBS

DOCS = pathlib.Path(__file__).parents[3] / "docs" / "routes"


def test_names():
    """The verbs that the language promises here."""
    assert set(VERBS) == {
        "set", "default", "copy", "delete", "add", "map", "foreach", "require", "normalise_authorities",
        "render", "tag", "drop", "reject",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(VERBS))
def test_each_has_a_schema_and_a_page(name):
    """The editor's schema can be made of each; each has a page with before and after."""
    json.dumps(VERBS[name].shape.schema())
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# `{name}`")
    assert "Before" in page
    assert "After" in page
    assert VERBS[name].summary
