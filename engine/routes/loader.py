"""
From routes.yaml, the files that it includes and its tables to a Configuration, or to all findings.

`lint` and `run` both come through here: there is no second truth.
"""

from __future__ import annotations

import contextlib
import pathlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

from engine.identity.authorities import Authority
from engine.routes import schema
from engine.routes.assembling import Assembler
from engine.routes.casereading import CaseReader, check_given
from engine.routes.cases import Case
from engine.routes.configuration import Configuration, Route, Source
from engine.routes.declarations import (
    Named,
    make_authorities,
    read_authorities,
    read_destinations,
    read_keys,
    read_lists,
    read_names,
    read_sites,
    read_sources,
    refused_names,
    variants_of,
)
from engine.routes.defaults import Defaults
from engine.routes.digests import Said, digest_of
from engine.routes.directories import at_root
from engine.routes.document import read_document
from engine.routes.files import DiskFiles, Files
from engine.routes.findings import ConfigurationRefused, Finding, Findings
from engine.routes.identityreading import policies, read_identity
from engine.routes.names import Names, Secrets
from engine.routes.neighbours import check_doors
from engine.routes.reading import Reading
from engine.routes.shipped import LISTS
from engine.routes.suggestions import suggest
from engine.routes.tables import read_table
from engine.routes.templates import Template, read_template
from engine.transforms.nodes import Entries, Mark, Node, Scalar, Word
from engine.transforms.shapes import Choice, ListOf, TextShape, Unreadable, meant

Declared = Mapping[str, Mapping[str, Any]]
FILES_MAX: Final = 200
_NAMED: Final = (
    "sites", "lists", "tables", "keys", "defaults", "templates", "sources", "destinations", "steps", "routes",
)  # fmt: skip
_KINDS: Final = {"sources": "source", "destinations": "destination", "routes": "route"}
"""Sections whose entries may use a template, and what it then makes."""


def load(path: pathlib.Path, *, environment: Mapping[str, str], secrets: Secrets | None = None) -> Configuration:
    """
    Read a configuration that is fit to run.

    Args:
        path: routes.yaml.
        environment: For `${env:NAME}`, and secrets as PASSERELLE_SECRET_NAME.
        secrets: Gives a secret by name, or None; `file_secrets` unless told.

    Raises:
        ConfigurationRefused: With all findings.
    """
    configuration, findings = check(path, environment=environment, secrets=secrets)
    if configuration is None:
        raise ConfigurationRefused(findings)
    return configuration


def check(
    path: pathlib.Path,
    *,
    environment: Mapping[str, str] | None = None,
    secrets: Secrets | None = None,
    tests: Sequence[pathlib.Path] | None = None,
    files: Files | None = None,
) -> tuple[Configuration | None, list[Finding]]:
    """
    Read a configuration and tell all that is to say about it.

    Args:
        path: routes.yaml.
        environment: As `load`.
        secrets: As `load`.
        tests: Files of tests to read too, beside those under routes; None: no test is read.
        files: Where the configuration's own files are read; the file system unless told.

    Returns:
        The configuration (None when there is an error), and errors and warnings in the order of the files.
    """
    given = environment if environment is not None else {}
    loader = _Loader(path, given, secrets or file_secrets(given), files or DiskFiles())
    configuration = loader.configuration(tests)
    return (None if loader.findings.refused else configuration), loader.findings.all()


def declared(path: pathlib.Path, *, environment: Mapping[str, str], secrets: Secrets) -> tuple[Configuration, Declared]:
    """
    Read a configuration together with what its declarations say as they are written, for documents about it.

    Returns:
        The configuration with its tests, and by section and name plain values: templates, defaults and runs are in
        their places, the environment is resolved, secrets are not.

    Raises:
        ConfigurationRefused: With all findings.
    """
    loader = _Loader(path, environment, secrets, DiskFiles())
    configuration = loader.configuration([])
    if configuration is None or loader.findings.refused:
        raise ConfigurationRefused(loader.findings.all())
    return configuration, loader.declared()


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Return routes.yaml and the files that it includes, as far as they can be read."""
    loader = _Loader(path, {}, lambda _: None, DiskFiles())
    return loader.files()


def file_secrets(environment: Mapping[str, str], directory: pathlib.Path | None = None) -> Secrets:
    """
    Return what finds secrets: the variable PASSERELLE_SECRET_NAME, else the file `secrets/name`.

    Args:
        environment: The process's.
        directory: The data directory; PASSERELLE_DATA, else `data`, unless told.
    """
    folder = (directory or pathlib.Path(environment.get("PASSERELLE_DATA", "data"))) / "secrets"

    def find(name: str) -> str | None:
        value = environment.get("PASSERELLE_SECRET_" + re.sub(r"\W", "_", name).upper())
        if value is not None:
            return value
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            return None
        try:
            return (folder / name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            return None

    return find


class _Loader:
    """One load."""

    def __init__(self, path: pathlib.Path, environment: Mapping[str, str], secrets: Secrets, files: Files) -> None:
        self.findings = Findings()
        self._files = files
        self._contents: dict[str, bytes] = {}
        self._included: dict[tuple[pathlib.Path, str], tuple[pathlib.Path, ...]] = {}
        self._path = path
        self._names = Names(environment=environment, secrets=secrets)
        self._reading = Reading(self.findings, self._names)
        self._names.read_file = self._beside
        self._read: dict[str, tuple[str, str] | None] = {}
        self._texts: list[tuple[str, str]] = []
        self._digest = blake2b(digest_size=8)
        self._sections: dict[str, Named] = {name: [] for name in _NAMED}
        self._origins: dict[tuple[str, str], Mark] = {}
        self._single: dict[str, Node] = {}
        """`group` and `identity`: sections that are one declaration."""
        self._defaults = Defaults()
        self._table_digests: dict[str, str] = {}
        self._made: dict[str, Named] = {}

    def configuration(self, tests: Sequence[pathlib.Path] | None) -> Configuration | None:
        """Read all; None when nothing could be read at all."""
        if not self._file(self._path, None):
            return None
        names, sections = self._names, self._sections
        group = self._what_doors_name()
        made = self._made = self._shared()
        sources = read_sources(made["sources"], self._reading, names)
        keys = read_keys(sections["keys"], self._reading, names, lambda: _variants(sources.values()))
        destinations = read_destinations(
            made["destinations"], self._reading, keys, [key.text for key, _ in sections["sources"]]
        )
        refused = refused_names(sections, {"sites": names.sites, "sources": sources, "destinations": destinations})
        assembler = Assembler(
            self.findings, names, sources, destinations, keys,
            refused_sources=refused["sources"], refused_destinations=refused["destinations"],
        )  # fmt: skip
        read = assembler.routes(made["routes"])
        root = str(self._path.parent.absolute())
        check_doors(made, sources, destinations, read, root, self._reading)
        self._whole(sources, destinations, read)
        said = {(section, key.text): self._said(node) for section in made for key, node in made[section]}
        said |= {("keys", key.text): self._said(node) for key, node in sections["keys"]}
        routes = [replace(route, digest=said["routes", route.name]) for route in read]
        refused |= refused_names(sections, {"routes": [route.name for route in read]})
        reader = CaseReader(self.findings, names, sources, destinations, routes, self._path.parent, refused)
        cases = [] if tests is None else self._cases(reader, assembler.tests, tests)
        return Configuration(
            hash=self._hash(),
            text="\n".join(f"# --- {file}\n{text}" for file, text in self._texts),
            files=tuple(file for file, _ in self._texts),
            contents=self._contents,
            included=self._included,
            group_authorities=group,
            sites=names.sites,
            sources={name: at_root(one, root, said["sources", name]) for name, one in sources.items()},
            destinations={
                name: replace(one, digest=said["destinations", name], root=root) for name, one in destinations.items()
            },
            routes=tuple(routes),
            keys={name: replace(one, digest=said["keys", name]) for name, one in keys.items()},
            lists=names.lists,
            routes_of={name: tuple(route for route in routes if name in route.sources) for name in sources},
            authorities=names.authorities,
            identity=names.identity,
            policies=policies(names.identity, names.authorities, sources),
            tables=names.tables,
            cases=tuple(cases),
            table_digests=self._table_digests,
            key_readers={name: key.read for name, key in keys.items() if key.read is not None},
        )

    def _what_doors_name(self) -> dict[str, Authority]:
        """Read what doors and routes name: lists, tables, sites; return the group's authorities."""
        names, sections = self._names, self._sections
        names.lists.update(LISTS)
        read_lists(sections["lists"], self._reading, names)
        self._tables()
        group = self._read_group()
        self._defaults.read(sections["defaults"], self._reading)
        read_sites(self._defaults.applied("sites", sections["sites"]), group, self._reading, names)
        names.authorities = make_authorities(names.sites.values(), group)
        names.identity = read_identity(self._single.get("identity"), self._reading, names)
        return group

    def _cases(
        self, reader: CaseReader, under_routes: Sequence[tuple[str, Node]], files: Sequence[pathlib.Path]
    ) -> list[Case]:
        """Read the tests under routes and those of files, and look at what they give."""
        cases = [case for route, node in under_routes for case in reader.cases(node, route)]
        cases += [case for file in files for case in reader.file(file)]
        check_given(cases, self.findings)
        return cases

    def declared(self) -> Declared:
        """Tell what is declared, after `configuration`."""
        said = Said(self._names.environment, self._names.templates.steps_of)
        sections = {"sites": self._sections["sites"], "tables": self._sections["tables"], **self._made}
        return {
            name: {key.text: said.of(node, ordered=True) for key, node in entries} for name, entries in sections.items()
        }

    def files(self) -> list[pathlib.Path]:
        """Read no more than which files there are."""
        self._file(self._path, None)
        return [self._path, *(self._path.parent / name for name, _ in self._texts[1:])]

    def _said(self, node: Node) -> str:
        return digest_of(node, self._names.environment, self._names.templates.steps_of)

    def _hash(self) -> str:
        for name, value in sorted(self._names.asked.items()):
            self._digest.update(f"\x1e{name}\x1f{value}\x1f".encode("utf-8", "surrogateescape"))
        return self._digest.hexdigest()

    # --- files -------------------------------------------------------------------------------------------

    def _file(self, path: pathlib.Path, named: Scalar | None) -> bool:
        """Read one file and those that it includes; False when it can't be read."""
        shown = self._shown(path)
        where: Mark = named.mark if named is not None else Mark(shown, 1, 1)
        if any(file == shown for file, _ in self._texts):
            self.findings.add("error", "E148", where, f"{shown} is included twice", "keep one")
            return False
        data = self._bytes(path, shown, where)
        if data is None:
            return False
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            self.findings.add("error", "E108", Mark(shown, line, 1), "the file isn't UTF-8", "save it as UTF-8")
            return False
        self._texts.append((shown, text))
        document = read_document(shown, text, self.findings)
        if document is None:
            return False
        self._top(document, path)
        return True

    def _bytes(self, path: pathlib.Path, shown: str, where: Mark) -> bytes | None:
        try:
            data = self._files.read(path)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "there is no such file" if missing else (error.strerror or "it can't be read")
            hint = "look at its path: it is relative to the file that names it"
            self.findings.add("error", "E124", where, f"{shown}: {reason}", hint)
            return None
        self._digest.update(f"\x1e{shown}\x1f{len(data)}\x1f".encode())
        self._digest.update(data)
        self._contents[shown] = data
        return data

    def _beside(self, word: Word) -> tuple[str, str] | None:
        """Read a file that a step names, once: it counts as a part of the configuration."""
        name = str(word)
        if name not in self._read:
            self._read[name] = self._text(name, word.node.mark)
        return self._read[name]

    def _text(self, name: str, where: Mark) -> tuple[str, str] | None:
        if pathlib.PurePath(name).is_absolute() or ".." in pathlib.PurePath(name).parts:
            self.findings.add("error", "E124", where, f"{name} lies outside", "such files lie below routes.yaml")
            return None
        path = self._path.parent / name
        data = self._bytes(path, self._shown(path), where)
        if data is None:
            return None
        try:
            return self._shown(path), data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.findings.add("error", "E124", where, f"{name} isn't UTF-8", "save it as UTF-8")
            return None

    def _shown(self, path: pathlib.Path) -> str:
        root = self._path.parent
        return (
            str(path.relative_to(root))
            if path != self._path and path.is_relative_to(root)
            else str(path if path != self._path else path.name)
        )

    def _top(self, document: Entries, path: pathlib.Path) -> None:
        for key, node in document.entries:
            name = key.text
            if name not in schema.SECTIONS:
                hint = suggest(name, schema.SECTIONS)
                self.findings.add("error", "E104", key.mark, f"{name} is no section", hint)
                name = meant(hint)
                if not name or document.get(name) is not None:
                    continue  # read as what was meant: that everything in it is missing would only follow
            if name == "version":
                self._reading.read(Choice("1"), node)
            elif name in ("group", "identity"):
                if name in self._single:
                    self.findings.add("error", "E102", key.mark, f"{name} stands in another file too", "keep one")
                self._single[name] = node
            elif name != "include":
                self._section(name, node)
        include = document.get("include")
        if include is not None:
            self._include(include, path)

    def _section(self, name: str, node: Node) -> None:
        if isinstance(node, Scalar) and not node.text:
            return  # a section whose entries are all commented out
        if not isinstance(node, Entries):
            self.findings.add(
                "error", "E106", node.mark, f"{name} is a mapping, this is a {node.kind}", "write one `name: …` a line"
            )
            return
        for key, value in node.entries:
            first = self._origins.setdefault((name, key.text), key.mark)
            if first is not key.mark:
                sentence = f"{key.text} stands in {first.file}, line {first.line} too"
                self.findings.add("error", "E102", key.mark, sentence, "keep one")
                continue
            self._sections[name].append((key, value))

    def _include(self, node: Node, path: pathlib.Path) -> None:
        words = self._reading.read(ListOf(TextShape(), single=True), node) or []
        for word in words:
            pattern = str(word)
            if pathlib.PurePath(pattern).is_absolute() or ".." in pathlib.PurePath(pattern).parts:
                self.findings.add(
                    "error", "E148", word.node.mark, f"{pattern} lies outside", "included files lie below routes.yaml"
                )
                continue
            found = [path.parent / pattern]
            if "*" in pattern:
                found = self._files.matching(path.parent, pattern)
                self._included[path.parent.absolute(), pattern] = tuple(file.absolute() for file in found)
            if not found:
                self.findings.add(
                    "error", "E124", word.node.mark, f"no file is named {pattern}", "remove it, or look at its path"
                )
            for file in found:
                if len(self._texts) >= FILES_MAX:
                    self.findings.add("error", "E148", word.node.mark, f"more than {FILES_MAX} files", "join some")
                    return
                self._file(file, word.node)

    # --- sections ----------------------------------------------------------------------------------------

    def _tables(self) -> None:
        for name, key, node in read_names(self._sections["tables"], self._reading):
            self._names.refused_tables.add(name)
            value = self._reading.read(schema.TABLE, node)
            if value is None:
                continue
            word = value if isinstance(value, str) else value["file"]
            path = self._path.parent / str(word)
            data = self._bytes(path, self._shown(path), getattr(word, "node", key).mark)
            if data is None:
                continue
            self._table_digests[name] = blake2b(data, digest_size=8).hexdigest()
            found = read_table(name, self._shown(path), data, self.findings)
            if found is not None:
                self._names.tables[name] = found
                self._names.refused_tables.discard(name)

    def _read_group(self) -> dict[str, Authority]:
        values: dict[str, Any] | None = None
        if "group" in self._single:
            values = self._reading.read(schema.GROUP, self._single["group"])
        return read_authorities((values or {}).get("authorities") or [], "", self._reading)

    def _shared(self) -> dict[str, Named]:
        """Read templates and runs; return the sections with their uses replaced and the defaults added."""
        sections, templates = self._sections, self._names.templates
        for key, node in sections["steps"]:
            templates.known[key.text] = Template(key, "steps", node)
        for name, key, node in read_names(sections["templates"], self._reading):
            if name in templates.known:
                self._reading.error(key, "E118", f"a run of steps has the name {name} too", "choose another name")
                continue
            with contextlib.suppress(Unreadable):
                templates.known[name] = read_template(key, node, self._reading)
        self._names.sources = [key.text for key, _ in sections["sources"]]
        templates.declared = {
            "site": list(self._names.sites),
            "table": list(self._names.tables),
            "source": self._names.sources,
            "destination": [key.text for key, _ in sections["destinations"]],
        }
        return {
            section: self._defaults.applied(section, templates.expanded(sections[section], kind, self._reading))
            for section, kind in _KINDS.items()
        }

    def _whole(self, sources: Mapping[str, Any], destinations: Mapping[str, Any], routes: list[Route]) -> None:
        """Tell what is declared and serves nothing."""
        templates = self._names.templates
        by_name = {route.name: route for route in routes}
        taken = {name for route in routes for name in route.sources}
        reached = {one.destination for route in routes for one in route.to}
        reached |= {name for route in routes for name in route.elsewhere}
        for section, known, used, sentence, hint in (
            ("sources", sources, taken, "no route takes from", "add it to from: of a route"),
            ("destinations", destinations, reached, "no route delivers to", "add it to to: of a route, or remove it"),
            ("tables", self._names.tables, self._names.used_tables, "no step uses the table", "remove it"),
            ("steps", templates.known, templates.used, "no route uses the run", "remove it, or use it"),
            ("templates", templates.known, templates.used, "nothing uses the template", "remove it, or use it"),
        ):  # fmt: skip
            for key, _ in self._sections[section]:
                if key.text in known and key.text not in used and not self.findings.refused:
                    self.findings.add("warning", "W204", key.mark, f"{sentence} {key.text}", hint)
        for section, declared in (("sources", sources), ("destinations", destinations), ("routes", by_name)):
            self._check_renamed(section, {name: one.renamed_from for name, one in declared.items()})
            if not self._sections[section] and not self.findings.refused:
                mark = Mark(self._texts[0][0], 1, 1)
                self.findings.add("error", "E105", mark, f"there is no section {section}", f"add {section}:")

    def _check_renamed(self, section: str, former: Mapping[str, str]) -> None:
        """Refuse a former name that still stands, or that two claim: history can follow one of them only."""
        claimed: dict[str, str] = {}
        for key, _ in self._sections[section]:
            name = former.get(key.text, "")
            if not name:
                continue
            if any(name == other.text for other, _ in self._sections[section]):
                sentence = f"{name} is declared here too: {key.text} can't be its new name"
                self.findings.add("error", "E128", key.mark, sentence, "remove renamed_from:, or the old one")
            elif claimed.setdefault(name, key.text) != key.text:
                sentence = f"{claimed[name]} has renamed_from: {name} already"
                self.findings.add("error", "E128", key.mark, sentence, "only one can have its history")


def _variants(sources: Any) -> list[str]:
    known: dict[str, None] = {}
    source: Source
    for source in sources:
        known.update(dict.fromkeys(variants_of(source)))
    return list(known)
