"""
What all tests share.

Tests that need the corpus of real messages are left out, and that is said in the report's header, when the
environment variable PASSERELLE_CORPUS names none. They are never skipped one by one without a word.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CORPUS = os.environ.get("PASSERELLE_CORPUS", "")


def pytest_report_header() -> str:
    if CORPUS:
        return f"corpus: {CORPUS}"
    return "corpus: PASSERELLE_CORPUS is not set: the tests on real messages are NOT run"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if CORPUS:
        return
    needing = [item for item in items if "corpus" in getattr(item, "fixturenames", ())]
    if needing:
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real messages: PASSERELLE_CORPUS."""
    folder = Path(CORPUS)
    if not (folder / "INDEX.tsv").is_file():
        pytest.fail(f"PASSERELLE_CORPUS is {CORPUS!r}, where there is no INDEX.tsv")
    return folder
