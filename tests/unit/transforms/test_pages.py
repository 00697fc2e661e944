"""The pages of docs/routes: each verb's examples do what they say."""

from __future__ import annotations

import csv
import io
import pathlib
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.asking import Answers, answered_at_once
from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.errors import StepFailed
from engine.identity.authorities import Authority
from engine.identity.policy import MINT
from engine.parsers import open_message
from engine.routes.configuration import IdentitySection, Site
from engine.routes.declarations import make_authorities
from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.identifying import Identified, knows_nobody
from engine.routes.identityreading import policies
from engine.routes.multiplying import Part, run
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.sandbox.at_once import workers
from engine.transforms.identifying import Waits
from engine.transforms.step import Context, Dropped, Rejected
from engine.transforms.tables import Table
from engine.transforms.verbs import VERBS

PAGES = pathlib.Path(__file__).parents[3] / "docs" / "routes"
HEAD = "MSH|^~\\&|A|B|C|D|20260301||ADT^A01^ADT_A01|4711|P|2.5"
GHT = Authority(
    name="ipp", site="", type="PN", oid="1.2.250.1.999.1.1", hd1="GHT-IPP", hd2="1.2.250.1.999.1.1", hd3="ISO"
)
CHA = Site(
    name="cha", finess_ej="000000026",
    authorities={
        "ipp": Authority(
            name="ipp", site="cha", type="PI", oid="1.2.250.1.999.10.1", hd1="CHA-IPP",
            hd2="1.2.250.1.999.10.1", hd3="ISO",
        )
    },
    aliases={"CPAGE/PI": "ipp"},
)  # fmt: skip
FENCE = re.compile(r"(?P<before>[^\n]*)\n\n```(?P<kind>[a-z]*)\n(?P<text>.*?)\n```", re.DOTALL)


@dataclass
class Example:
    """One example of a page: steps, a message, and what becomes of it."""

    page: str
    steps: str = ""
    before: str = ""
    after: str = ""
    known: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def examples(page: pathlib.Path) -> list[Example]:
    """Read the examples of a page: fences after `Example:`, `Table name:`, `Before:` and `After:`."""
    found: list[Example] = []
    for match in FENCE.finditer(page.read_text(encoding="utf-8")):
        title = match["before"].partition(":")[0].strip()
        if title == "Example":
            found.append(Example(page.stem, match["text"]))
        elif title.startswith("Table "):
            found[-1].tables[title.split("`")[1]] = match["text"]
        elif title.startswith("File "):
            found[-1].files[title.split("`")[1]] = match["text"]
        elif title in ("Before", "After", "Known"):
            setattr(found[-1], title.lower(), match["text"])
    return found


def table_of(name: str, text: str) -> Table:
    columns, *rows = csv.reader(io.StringIO(text))
    return Table(name, tuple(columns), [tuple(row) for row in rows])


def outcome(example: Example) -> str:
    """Compile and run the steps; write what became of the message as the pages do."""
    findings = Findings()
    known = Names(
        environment={"PASSERELLE_PYTHON": "yes"},
        secrets=lambda _: None,
        sites={"cha": CHA},
        lists={"urgent": frozenset({"S", "A"})},
    )
    known.authorities = make_authorities([CHA], {"ipp": GHT})
    known.identity = IdentitySection(prefix="G")
    known.tables = {name: table_of(name, text) for name, text in example.tables.items()}
    known.read_file = lambda word: (str(word), example.files[word])
    document = read_document("page.yaml", f"steps:\n{example.steps}\n", findings)
    assert document is not None, findings.all()
    node = document.get("steps")
    assert node is not None
    steps = Reading(findings, known, variant="cha/ipp").steps(node)
    assert findings.all() == []
    lines = example.before.splitlines()
    given = lines if lines[0].startswith(("MSH|", "H|")) else [HEAD, *lines]
    raw = "".join(f"{line}\r" for line in given).encode()
    message = open_message(raw, as_utf8=True)
    type_, _, event = message.header.type.partition("^")
    context = Context(
        message, site="cha", source="gam_cha", variant="cha/ipp", type=type_, event=event[:3], control_id="4711"
    )  # fmt: skip

    context.identities = identified(known, context, example.known)

    def work(answers: Answers) -> Context | list[Part]:
        context.answers = answers
        return run(context, steps, message)

    try:
        with workers() as ask:
            done = answered_at_once(work, ask)
    except StepFailed as failed:
        return f"dead letter {' '.join(filter(None, (failed.code, failed.field)))}: {failed.reason}"
    except Dropped as dropped:
        return f"filtered: {dropped.reason}"
    except Waits as waits:
        return f"waits: {waits.reason}"
    except Rejected as rejected:
        return f"rejected {rejected.code}: {rejected.reason}"
    if isinstance(done, list):
        if done[0].failure is not None:
            failed = done[0].failure
            return f"dead letter {' '.join(filter(None, (failed.code, failed.field)))}: {failed.reason}"
        return "\n\n".join("\n".join(part.context.message.to_bytes().decode().splitlines()) for part in done)
    context = done
    if context.body is not None:
        return context.body.decode()
    written = context.message.to_bytes().decode().splitlines()[len(given) - len(lines) :]
    return "\n".join(
        [*written, *(f"finding: {one}" for one in context.findings), *(f"tag: {one}" for one in context.tags)]
    )


def identified(names: Names, context: Context, known: str) -> Identified:
    """Know nobody but whom these lines name, each a message that made him known."""
    sources = {"gam_cha": SimpleNamespace(name="gam_cha", may_assert=())}
    configuration: Any = SimpleNamespace(
        authorities=names.authorities, sites=names.sites, policies=policies(names.identity, names.authorities, sources)
    )
    knowledge = knows_nobody()

    def of(raw: bytes, place: int) -> Identified:
        stored = StoredMessage("gam_cha", "main", raw, 1_772_323_200_000, place=place)
        recogniser = names.authorities.of("cha", "ipp")
        source: Any = sources["gam_cha"]
        return Identified(configuration, source, stored, References(b"k" * 32), recogniser, knowledge)

    for rank, line in enumerate(known.splitlines(), 1):
        raw = f"{HEAD}\r{line}\r".encode()
        of(raw, rank).decide(context.fork(open_message(raw, as_utf8=True)), MINT)
    return of(b"", 100)


ALL = [
    (name, rank, one)
    for name in (*sorted(VERBS), "quirks")
    for rank, one in enumerate(examples(PAGES / f"{name}.md"), 1)
]


@pytest.mark.parametrize("example", [one for _, _, one in ALL], ids=[f"{name}-{rank}" for name, rank, _ in ALL])
def test_example(example):
    """Before becomes After, byte for byte."""
    assert example.before
    assert example.after
    assert outcome(example) == example.after


@pytest.mark.parametrize("name", sorted(VERBS))
def test_each_verb_has_a_page_with_an_example(name):
    """Which begins with its name, and shows its shape."""
    assert examples(PAGES / f"{name}.md")
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8").startswith(f"# `{name}`\n")


def test_every_page_is_one_of_a_verb():
    """A verb that is gone takes its page along; README names each."""
    readme = (PAGES / "README.md").read_text(encoding="utf-8")
    pages = {page.stem for page in PAGES.glob("*.md") if page.read_text(encoding="utf-8").startswith("# `")}
    assert pages == set(VERBS)
    assert not [name for name in VERBS if f"[{name}]({name}.md)" not in readme]
