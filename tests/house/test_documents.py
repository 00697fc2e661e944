"""What the documents say is so."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import click
import pytest

from engine.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "engine/**/*.md")
    for page in ROOT.glob(pattern)
    if ".venv" not in page.parts
)
VERSION = importlib.metadata.version("passerelle")


def commands(text: str, program: str) -> list[list[str]]:
    """Return the words after a program's name, in the code of a page."""
    code = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
    lines = [line.split("#")[0].strip().removeprefix("$ ") for block in code for line in block.splitlines()]
    return [line.split()[len(program.split()) :] for line in lines if line.startswith(f"{program} ")]


def resolve(words: list[str]) -> str:
    """Follow words into the tree of commands; return what is wrong, or nothing."""
    command: click.Command = main
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = not skip and word in ("--routes", "--data")
            continue
        if not isinstance(command, click.Group):
            return ""
        if not re.fullmatch(r"[a-z]+", word):  # `ls|show`, `…`, capitals: prose about commands
            return ""
        found = command.get_command(click.Context(command), word)
        if found is None:
            return f"`passerelle {' '.join(words)}`: there is no {word}"
        command = found
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_exists(page):
    """`passerelle …` and `python3 dev.py …` as they are written."""
    text = page.read_text(encoding="utf-8")
    wrong = [problem for words in commands(text, "passerelle") if (problem := resolve(words))]
    known = {"run", "test", "check", "bench", "fuzz", "format"}
    wrong += [f"dev.py {words[0]}" for words in commands(text, "python3 dev.py") if words and words[0] not in known
              and re.fullmatch(r"[a-z]+", words[0])]  # fmt: skip
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    """Relative links name files that exist."""
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [target for target in targets if not (page.parent / target).exists()]
    assert not broken


def test_the_two_commands_stand_in_the_readme():
    """All that a fresh machine needs."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 dev.py run" in text
    assert "python3 dev.py test" in text


@pytest.mark.parametrize(
    "package", ["hl7apy", "asyncio-mqtt", "aiomqtt", "structlog", "sqlite-utils", "click", "pytest", "freezegun"]
)
def test_the_readme_says_what_became_of_a_package_that_was_asked_for(package):
    """Used, or not and why."""
    assert re.search(rf"^\| .*{re.escape(package)}", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readmes_table_lists_every_dependency():
    """And no dependency is a surprise."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    required = importlib.metadata.requires("passerelle") or []
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in required if "extra" not in line}
    assert not {name for name in names if name not in text}


def test_the_changelog_knows_this_version():
    """What changed for those who run it."""
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_glossary_is_in_order_and_says_a_thing_once():
    """One word a thing."""
    rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = [row for row in rows if row not in ("word", "---")]
    assert len(words) > 30
    assert len(set(words)) == len(words)
    assert words == sorted(words, key=str.casefold)


@pytest.mark.parametrize(
    "word", ["message", "delivery", "destination", "lane", "place", "splice", "stage", "refusal", "probe"]
)
def test_the_words_of_the_core_are_in_the_glossary(word):
    """What the code says everywhere is explained once."""
    assert re.search(rf"^\| .*\b{word}\b.* \|", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_changelog_and_security_pages_are_there():
    """With whom to write to, and what is not protected."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "## Reporting" in text
    assert "TLS" in text
