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


HEADING = re.compile(r"^#+ (.+?)\s*$", re.MULTILINE)
FENCED = re.compile(r"```.*?```", re.DOTALL)


def headings(page: Path) -> list[str]:
    """Return the headings of a page, without the marks of code."""
    return [words.replace("`", "") for words in HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))]


def anchor(heading: str) -> str:
    """Return under which anchor a heading is reached."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_headings_lead_to_one(page):
    """`page.md#heading`, and `#heading` of the page itself."""
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    broken = [
        f"{target}#{name}"
        for target, name in links
        if name not in {anchor(words) for words in headings(page.parent / target if target else page)}
    ]
    assert not broken


CITING = [
    file
    for folder in ("engine", "bench", "tools", "tests", "docs")
    for file in sorted((ROOT / folder).rglob("*"))
    if file.suffix in (".py", ".md", ".lark", ".sql", ".txt") and file != Path(__file__)
] + [ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", ROOT / "dev.py"]
CITED = re.compile(
    r"(?P<page>(?<![\w/.])(?:docs/[\w./-]+\.md|ARCHITECTURE\.md|GLOSSARY\.md))"
    r"(?:, (?:(?P<rule>rules? [0-9]+b?(?: (?:to|and) [0-9]+)?)|(?P<heading>[A-Z][^\n]{3,90})))?"
)
DECISION = re.compile(r"(?:docs/decisions/|\bdecision )([0-9]{4})")
NAMES = "(?:ARCHITECTURE|GLOSSARY|IDENTITY|LANES|OPERATIONS|ROUTES|STANDARDS|STORE)"
UNPAGED = re.compile(rf"(?<=\s\(){NAMES}(?:\)|[,;]\s(?=\w))|\b{NAMES}(?:, (?:rule|decision)s?\b| section\b| [0-9])")
"""Names of pages as they were before there were pages: nobody finds them."""


def unfound(text: str) -> list[str]:
    """Return what a text cites that isn't there: pages, their headings and rules, decisions."""
    plain = re.sub(r"\s*\n\s*(?:#|//|--)?\s*", " ", text)
    wrong = [found[0] for found in UNPAGED.finditer(text)]
    for found in CITED.finditer(plain):
        page = ROOT / found["page"]
        if not page.exists():
            wrong.append(found["page"])
        elif found["rule"]:
            wrong += [
                f"{found['page']}, rule {number}"
                for number in re.findall(r"[0-9]+b?", found["rule"])
                if not re.search(rf"^(?:#+ Rule {number}: |{number}\. )", page.read_text("utf-8"), re.MULTILINE)
            ]
        elif found["heading"] and ".md" not in found["heading"].split()[0]:
            if not any(found["heading"].startswith(words) for words in headings(page)):
                wrong.append(f"{found['page']}, {found['heading'][:40]}")
    known = {page.name[:4] for page in (ROOT / "docs" / "decisions").glob("0*.md")}
    return wrong + [f"decision {number}" for number in DECISION.findall(plain) if number not in known]


@pytest.mark.parametrize("file", CITING, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_cited_exists(file):
    """`docs/routes/README.md, rule 7`, `ARCHITECTURE.md, Order`, `docs/decisions/0011`: in comments as on pages."""
    wrong = unfound(file.read_text(encoding="utf-8"))
    assert not wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("(docs/developers/identity.md, rules 5 and 6)", []),
        ("(ARCHITECTURE.md, Judging\n    an answer)", []),
        ("docs/routes/README.md, rule 1; ARCHITECTURE.md, GLOSSARY.md", []),
        ("(docs/developers/identity.md, rule 8)", ["docs/developers/identity.md, rule 8"]),
        ("ARCHITECTURE.md, Retransmission.", ["ARCHITECTURE.md, Retransmission."]),
        ("docs/routes/nothing.md", ["docs/routes/nothing.md"]),
        ("(decision 9999)", ["decision 9999"]),
        ("(IDENTITY, decision 7) (LANES)", ["IDENTITY, decision", "LANES)"]),
    ],
)
def test_a_citation_of_nothing_is_seen(text, wrong):
    """Pages, headings over the end of a line, rules, decisions."""
    assert unfound(text) == wrong


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
