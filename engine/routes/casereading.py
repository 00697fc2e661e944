"""
Read tests of routes: `tests:` of a route, and files named `*_test.yaml`.

    name      what is promised
    route     in a file: only this route runs
    source    of the messages that don't name their own; the route's only source unless said
    folder    where given files lie, relative to the file of the test
    given     a file's name, { file | message, source, name, with, without }, or a list of these
    expect    of the last message: site, findings, filtered, unrouted, rejected, dead_letter, and by destination what
              is delivered; `messages:` says the same of the others by their names
"""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from engine.identity.spellings import INS_ARC
from engine.routes.cases import Case, Expected, Given
from engine.routes.configuration import Destination, Route, Source
from engine.routes.declarations import variants_of
from engine.routes.document import read_document
from engine.routes.expectations import ExpectationReader
from engine.routes.findings import Findings
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.routes.suggestions import suggest
from engine.transforms.nodes import Entries, Items, Mark, Node, Scalar, Word
from engine.transforms.shapes import (
    AnyText,
    Key,
    ListOf,
    Pairs,
    PathShape,
    Raw,
    Record,
    TextShape,
    Unreadable,
    exactly_one,
    refuse,
)
from engine.transforms.valuepaths import ValuePath

GIVEN: Final = Record(
    {
        "file": Key(TextShape(), about="A file with the message, relative to this one and to folder:."),
        "message": Key(TextShape(), about="Its lines themselves: |"),
        "source": Key(TextShape(), about="From which source it comes; the route's only one unless said."),
        "name": Key(TextShape(), about="How expectations speak of it; the name of the file unless said."),
        "with": Key(
            Pairs(ValuePath(), AnyText()), about="Written into the message before it is sent: { PATH: value }."
        ),
        "without": Key(ListOf(PathShape(), single=True), about="Paths that are taken out of it before."),
    }
)
CASE: Final = Record(
    {
        "name": Key(TextShape(), required=True, about="What is promised, in words."),
        "route": Key(TextShape(), about="Only this route runs; without it all do. Under a route it is that one."),
        "source": Key(TextShape(), about="Source of the messages that do not name their own."),
        "folder": Key(TextShape(), default="", about="Where given files lie, relative to this file."),
        "given": Key(
            Raw(),
            required=True,
            about="A file, { file | message, source, name, with, without }, or a list of these: a sequence.",
        ),
        "expect": Key(
            Raw(),
            required=True,
            about="What becomes of the last message: ending, site, findings, and by destination what is delivered.",
        ),
    }
)


def test_files(root: pathlib.Path) -> list[pathlib.Path]:
    """Return the files of tests of a configuration: `*_test.yaml` beside routes.yaml, below routes/ and tests/."""
    found = {*root.glob("*_test.yaml")}
    for folder in ("routes", "tests"):
        found |= {*(root / folder).rglob("*_test.yaml")}
    return sorted(found)


class CaseReader:
    """Read tests against a configuration that was read."""

    def __init__(
        self,
        findings: Findings,
        names: Names,
        sources: Mapping[str, Source],
        destinations: Mapping[str, Destination],
        routes: Iterable[Route],
        root: pathlib.Path,
        refused: Mapping[str, Collection[str]],
    ) -> None:
        """
        Keep what tests may name.

        Args:
            findings: Gets what is wrong.
            names: Lists, tables, sites.
            sources: As declared.
            destinations: As declared.
            routes: As declared.
            root: The folder of routes.yaml: names of files in findings are relative to it.
            refused: By section, names whose own declaration was refused: that was reported, and a test that names
                one is left alone.
        """
        self._findings = findings
        self._names = names
        self._sources = sources
        self._destinations = destinations
        self._routes = {route.name: route for route in routes}
        self._root = root
        self._refused = refused
        self._plain = Reading(findings, names)

    def file(self, path: pathlib.Path) -> list[Case]:
        """Read a file of tests."""
        shown = str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)
        where = Mark(shown, 1, 1)
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            self._findings.add("error", "E124", where, f"{shown} can't be read, or isn't UTF-8", "look at its path")
            return []
        document = read_document(shown, text, self._findings)
        if document is None:
            return []
        for key, _ in document.entries:
            if key.text != "tests":
                self._plain.error(key, "E104", f"{key.text} is no key of a file of tests", "write tests:")
        node = document.get("tests")
        return self.cases(node) if node is not None else []

    def cases(self, node: Node, route: str = "") -> list[Case]:
        """Read a list of tests; `route` is the one under which they stand."""
        if not isinstance(node, Items):
            self._plain.error(node, "E106", f"tests are a list, this is a {node.kind}", "write one `- name: …` a test")
            return []
        read: list[Case] = []
        for item in node.items:
            values = self._plain.read(CASE, item)
            if values is None or not isinstance(item, Entries):
                continue
            try:
                read.append(self._case(values, item, route))
            except Unreadable:
                continue
        return read

    def _case(self, values: dict[str, Any], node: Entries, route: str) -> Case:
        named = values["route"]
        if named is not None and route:
            raise refuse(self._plain, named.node, "E118", f"this test stands under the route {route}", "remove route:")
        route = str(named or route)
        if route in self._refused["routes"]:
            raise Unreadable
        if route and route not in self._routes:
            raise refuse(self._plain, named.node, "E116", f"there is no route {route}", suggest(route, self._routes))
        given = self._given(values, node, route)
        return Case(
            name=str(values["name"]), route=route, given=given, mark=node.mark,
            expected=self._expectations(values["expect"], given),
        )  # fmt: skip

    # --- given ---------------------------------------------------------------------------------------------

    def _given(self, values: dict[str, Any], node: Entries, route: str) -> tuple[Given, ...]:
        given = values["given"]
        items = given.items if isinstance(given, Items) else [given]
        if not items:
            raise refuse(self._plain, given, "E107", "no message is given", "name a file of a message")
        folder = self._root / pathlib.PurePath(node.mark.file).parent / str(values["folder"])
        made: dict[str, Given] = {}
        failed = False
        for item in items:
            try:
                one = self._message(item, folder, values["source"], route)
            except Unreadable:
                failed = True
                continue
            if one.name in made:
                self._plain.error(item, "E102", f"two given messages are named {one.name}", "add name: to one of them")
                failed = True
            made[one.name] = one
        if failed:
            raise Unreadable
        return tuple(made.values())

    def _message(self, node: Node, folder: pathlib.Path, default: Word | None, route: str) -> Given:
        values: dict[str, Any] = {
            "file": None,
            "message": None,
            "source": None,
            "name": None,
            "with": None,
            "without": None,
        }
        if isinstance(node, Scalar):
            values["file"] = self._plain.word(node)
        else:
            values = GIVEN.read(node, self._plain)
            if exactly_one(values, self._plain, node, "file", "message"):
                raise Unreadable
        source = self._source(values["source"] or default, route, node)
        file = folder / str(values["file"]) if values["file"] is not None else None
        place = values["file"].node if file is not None else node
        name = str(values["name"] or (file.name.partition(".")[0] if file is not None else "message"))
        return Given(
            name=name, source=source, file=file, text=str(values["message"] or ""), mark=place.mark,
            changes=tuple((path, str(text)) for path, text in values["with"] or ()),
            removed=tuple(values["without"] or ()),
        )  # fmt: skip

    def _source(self, word: Word | None, route: str, node: Node) -> str:
        known = self._routes[route].sources if route else tuple(self._sources)
        if word in self._refused["sources"] or (not known and self._refused["sources"]):
            raise Unreadable
        if word is not None:
            others = self._sources if self._names.identity is not None else ()  # they make its patients known
            if word not in known and word not in others:
                sentence = f"the route {route} takes nothing from {word}" if route else f"there is no source {word}"
                raise refuse(self._plain, word.node, "E116", sentence, suggest(word, known))
            return str(word)
        if len(known) != 1:
            raise refuse(
                self._plain,
                node,
                "E105",
                "from which source does this message come?",
                f"add source: {' | '.join(known)}",
            )
        return known[0]

    # --- expect --------------------------------------------------------------------------------------------

    def _expectations(self, node: Node, given: Sequence[Given]) -> dict[str, Expected]:
        if not isinstance(node, Entries):
            raise refuse(
                self._plain,
                node,
                "E106",
                "what is expected is a mapping",
                "write dpi: { PATH: value }, or filtered: yes",
            )
        if not node.entries:
            raise refuse(self._plain, node, "E107", "a test that expects nothing can't fail", "say what is delivered")
        variants = list(dict.fromkeys(one for each in given for one in variants_of(self._sources[each.source])))
        reader = ExpectationReader(
            self._plain, self._names, self._destinations, self._refused, variants,
            [one.name for one in given],
        )  # fmt: skip
        expected: dict[str, Expected] = {}
        others = node.get("messages")
        if isinstance(others, Entries):
            for key, child in others.entries:
                if key.text not in {one.name for one in given}:
                    self._plain.error(
                        key,
                        "E116",
                        f"no given message is named {key.text}",
                        suggest(key.text, [one.name for one in given]),
                    )
                elif isinstance(child, Entries):
                    expected[key.text] = reader.expected(child)
                else:
                    self._plain.error(child, "E106", "what is expected is a mapping", "write filtered: yes, or dpi: …")
        elif others is not None:
            self._plain.error(others, "E106", "messages are a mapping", "write name: { … } for each message")
        last = reader.expected(node)
        if last.outcome or last.queues or last.findings or last.site is not None:
            expected[given[-1].name] = last
        return expected


def check_given(cases: Iterable[Case], findings: Findings) -> None:
    """Look at the files that tests give: they must be there, and hold nobody's national identifier."""
    seen: dict[pathlib.Path, bytes | None] = {}
    for one in (given for case in cases for given in case.given):
        data = one.text.encode()
        if one.file is not None:
            if one.file not in seen:
                seen[one.file] = _bytes_of(one.file)
            found = seen[one.file]
            if found is None:
                findings.add(
                    "error", "E124", one.mark, f"there is no file {one.file.name} to give",
                    "it is relative to the file of the test, and to folder:",
                )  # fmt: skip
                continue
            data = found
        if any(oid.encode() in data for oid in _PRODUCTION):
            findings.add(
                "error", "E150", one.mark, "this message holds an INS of a real person: its OID is that of production",
                "give a message with made-up identities; INS of tests have the OID 1.2.250.1.213.1.4.10",
            )  # fmt: skip


def _bytes_of(file: pathlib.Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


_PRODUCTION: Final = (f"{INS_ARC}8", f"{INS_ARC}9")
"""OIDs of the INS of real people: NIR and NIA."""
