"""The codes that operators meet: every one is explained, none is invented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from engine.core.ack import ERROR_TEXTS
from engine.operations.codes import FINDINGS, MEANINGS, meaning_of

ROOT = Path(__file__).resolve().parents[4]
CODE = re.compile(r"E(-[A-Z][A-Z0-9]*)+")
TABLE = ROOT / "engine" / "operations" / "codes"


def texts_of(module: Path) -> set[str]:
    """Return every text that a module's code holds; its comments and docstrings name codes as they like."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


MODULES = [module for module in (ROOT / "engine").rglob("*.py") if TABLE not in module.parents]
GIVEN = {text for module in MODULES for text in texts_of(module) if CODE.fullmatch(text)}


def test_every_code_of_the_engine_is_explained():
    """What stands on a dead letter, a refusal, a filtered message or an alert has words for the night."""
    assert len(GIVEN) > 50, "the search for codes finds none any more"
    assert not sorted(GIVEN - set(MEANINGS)), "write their meanings into engine/operations/codes"


APPENDED = re.compile(r"findings\.append\(\s*f?\"([a-z]+(?:-[a-z]+)+)")


def test_every_finding_of_the_engine_is_explained():
    """What `status` counts at a source has words: each word that is appended to findings, and no other."""
    sources = [module.read_text(encoding="utf-8") for module in MODULES]
    appended = {word for text in sources for word in APPENDED.findall(text)}
    assert len(appended) > 15, "the search for findings finds none any more"
    assert not sorted(appended - set(FINDINGS)), "write their meanings into engine/operations/codes/findings.py"
    whole = "\n".join(sources)
    assert not [word for word in FINDINGS if f'"{word}' not in whole]


@pytest.mark.parametrize(
    ("shown", "word"),
    [("not-converted P-9", "not-converted"), ("NOT-CONVERTED P-9", "not-converted"), ("review-same-traits", "review")],
)
def test_a_finding_is_found_as_it_is_shown(shown, word):
    """With its field, in capitals, with the rule that made it."""
    assert meaning_of(shown) is FINDINGS[word]


def test_no_code_is_explained_that_nobody_gives():
    """A code that is gone is gone here too."""
    assert not sorted(set(MEANINGS) - GIVEN)


def test_no_code_is_put_together():
    """Each code stands whole in the source: whoever reads it in a log finds where it comes from."""
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                assert not str(node.values[0].value).startswith("E-"), f"{module.name}:{node.lineno}"


@pytest.mark.parametrize("meaning", [*MEANINGS.values(), *FINDINGS.values()], ids=lambda meaning: meaning.code)
def test_a_meaning_says_what_happened_and_what_to_do(meaning):
    """Whole sentences, and commands that exist are written as commands."""
    for words in (meaning.what, meaning.then):
        assert re.fullmatch(r"[A-Z`].*[.]", words)
        assert 8 <= len(words) <= 240


@pytest.mark.parametrize("answer", ["AE", "AR", "CE", "CR"])
def test_what_a_receiver_answers_is_explained(answer):
    """With every code of table 0357, and with a receiver's own."""
    assert meaning_of(answer).what.startswith("The receiver")
    for number, text in ERROR_TEXTS.items():
        assert text.lower() in meaning_of(f"{answer} {number}").what
    assert "a code of its own: X12" in meaning_of(f"{answer} X12").what


def test_what_may_pass_is_not_mended():
    """A locked record (206) is waited for; an unknown patient (204) isn't."""
    assert "tried again" in meaning_of("AE 206").then
    assert "dead pass" in meaning_of("AE 204").then


@pytest.mark.parametrize("code", ["AA", "CA", "E-NOTHING", "", "E120", "AE\n204"])
def test_other_words_mean_nothing(code):
    """An acceptance is no trouble."""
    assert meaning_of(code) is None


def test_the_page_for_operators_says_the_same():
    """docs/operators/dead-letters.md, section Codes."""
    page = (ROOT / "docs" / "operators" / "dead-letters.md").read_text(encoding="utf-8")
    written = [line for line in page.splitlines() if re.match(r"\| `E-", line)]
    assert written == [f"| `{one.code}` | {one.stands} | {one.what} | {one.then} |" for one in MEANINGS.values()]
