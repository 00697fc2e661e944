"""Nodes to values: `${…}`, paths, conditions, texts, names; for one site, or for all that a source can bring."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from engine.dictionary.limits import is_unordered, last_component, last_field, segments
from engine.errors import PathError
from engine.identity.authorities import Authority, Recogniser
from engine.parsers.paths import Path
from engine.routes.configuration import split_variant
from engine.routes.document import read_document
from engine.routes.findings import Declaration, Findings
from engine.routes.identityreading import patient_authorities
from engine.routes.names import Names
from engine.routes.scope import ConditionScope
from engine.routes.selecting import is_ins, of_authority
from engine.routes.suggestions import suggest
from engine.routes.templates import REFERENCE
from engine.routes.when import Clause, Operand, WhenError, compile_when
from engine.transforms.beside import BESIDE, around
from engine.transforms.nodes import Entries, Items, Mark, Node, Scalar, Word
from engine.transforms.segmentnames import WRITE_ANOTHER, is_segment
from engine.transforms.shapes import Shape, Unreadable, Verb, refuse
from engine.transforms.step import Context, Run, Step
from engine.transforms.tables import Table
from engine.transforms.text import Part, Text, TextError, compile_text
from engine.transforms.verbs import VERBS

if TYPE_CHECKING:
    from engine.parsers.hl7v2.delimiters import Delimiters

Secrets = Callable[[str], str | None]

_IN_QUOTES: Final = re.compile("[“”„].*[“”]|«.*»|[‘’‚].*[‘’]", re.DOTALL)
_POSITION: Final = re.compile(r"[A-Z][A-Z0-9]{2}-[0-9]+\[[0-9]+\]")


class Reading:
    """
    The loader's side of `shapes.Reader` and `when.Scope`.

    With `variant` set (a site, and what its source says under `untyped:`), paths with authorities are bound
    to it; with `variants`, conditions and keys choose by the message's own (a route's `when:`, a key).
    """

    def __init__(
        self,
        findings: Findings,
        names: Names,
        *,
        variant: str | None = None,
        variants: Sequence[str] = (),
        answered_early: str = "",
        sources_refused: bool = False,
    ) -> None:
        self._findings = findings
        self._names = names
        self._variant = variant
        self._site = None if variant is None else split_variant(variant)[0]
        self._variants = variants
        self._answered_early = answered_early
        self._sources_refused = sources_refused
        """The sources of the route can't be read, which was reported: that no site is known only follows."""
        self._foreach = ""
        self._open_runs: tuple[str, ...] = ()
        self._cited: tuple[tuple[Mark, str], ...] = ()

    def at_site(self, site: str) -> Reading:
        """Return a reading where `${site.…}` stands for what this site declares."""
        return Reading(self._findings, self._names, variant=site)

    def with_variants(self, variants: Sequence[str]) -> Reading:
        """Return a reading whose conditions choose by the message's own variant."""
        return Reading(self._findings, self._names, variants=variants)

    # --- reporting ---------------------------------------------------------------------------------------

    def error(
        self, where: Node | Mark, code: str, sentence: str, hint: str = "", about: Declaration | None = None
    ) -> None:
        """Report an error; `about`: the declaration in which something is missing."""
        self._findings.add("error", code, _mark_of(where), sentence, hint, self._cited, about)

    @property
    def errors(self) -> int:
        """How many errors were reported so far, by anybody."""
        return self._findings.errors

    @contextmanager
    def declaring(self, section: str, name: str) -> Iterator[None]:
        """Read a declaration: when it has an error, what doesn't find in it what it wants isn't told."""
        before = self.errors
        try:
            yield
        finally:
            if self.errors > before:
                self._findings.damage((section, name))

    def warn(self, where: Node | Mark, code: str, sentence: str, hint: str = "") -> None:
        """Report a warning."""
        self._findings.add("warning", code, _mark_of(where), sentence, hint)

    @contextmanager
    def citing(self, mark: Mark, words: str) -> Iterator[None]:
        """Cite another place in what is reported meanwhile."""
        before, self._cited = self._cited, (*self._cited, (mark, words))
        try:
            yield
        finally:
            self._cited = before

    def suggest(self, text: str, allowed: Collection[str]) -> str:
        """Return `did you mean x?`, or what is allowed."""
        return suggest(text, allowed)

    def read(self, shape: Shape, node: Node) -> Any:
        """Read a node with a shape; None when it was reported."""
        try:
            return shape.read(node, self)
        except Unreadable:
            return None

    # --- texts -------------------------------------------------------------------------------------------

    def word(self, node: Node) -> Word:
        """Read a text, `${…}` resolved."""
        return self._text(node, lambda value: value)

    def _text(self, node: Node, quote: Callable[[str], str]) -> Word:
        if not isinstance(node, Scalar):
            raise refuse(self, node, "E106", f"a text is wanted here, this is a {node.kind}", "write one value")
        if "${" not in node.text:
            return Word.of(node.text, node)
        parts: list[str] = []
        position = 0
        for match in REFERENCE.finditer(node.text):
            parts.append(node.text[position : match.start()])
            parts.append(quote(self._resolve(match[1].strip(), node, match.start())))
            position = match.end()
        parts.append(node.text[position:])
        return Word.of("".join(parts), node)

    def _resolve(self, name: str, node: Scalar, column: int) -> str:
        where = node.at(column, len(name) + 3)
        bound = node.bindings.get(name)
        if bound is not None:
            return str(self.word(bound))
        kind, _, rest = name.partition(":")
        if kind == "env" and rest:
            value = self._names.asked[rest] = self._names.environment.get(rest)
            if value is None:
                raise refuse(
                    self, where, "E142", f"the environment has no {rest}", f"set {rest} where Passerelle starts"
                )
            return value
        if kind == "secret" and rest:
            value = self._names.secrets(rest)
            if value is None:
                variable = "PASSERELLE_SECRET_" + re.sub(r"\W", "_", rest).upper()
                raise refuse(
                    self,
                    where,
                    "E140",
                    f"there is no secret {rest}",
                    f"set {variable}, or write the file secrets/{rest} in the data directory",
                )
            return value
        if name.startswith("site."):
            return self._of_site(name.removeprefix("site."), where)
        hint = (
            suggest(name, node.bindings) if node.bindings else "write ${site.finess_ej}, ${env:NAME} or ${secret:name}"
        )
        raise refuse(self, where, "E115", f"${{{name}}} stands for nothing", hint)

    def _of_site(self, name: str, where: Mark) -> str:
        if self._site is None:
            raise refuse(self, where, "E141", "no site is known here", "${site.…} stands in the steps of a route")
        site = self._names.sites.get(self._site)
        if site is None:
            if self._sources_refused:
                raise Unreadable
            raise refuse(
                self, where, "E141", "a source of this route has no site", "add site: or site_from: to the source",
                about=("sites", self._site),
            )  # fmt: skip
        about = ("sites", site.name)
        values = {"name": site.name, "label": site.label, "finess_ej": site.finess_ej, "finess_eg": site.finess_eg}
        for authority in site.authorities.values():
            values[f"authorities.{authority.name}.oid"] = authority.oid
            values[f"authorities.{authority.name}.hd1"] = authority.hd1
        if name not in values:
            raise refuse(self, where, "E141", f"a site has no {name}", suggest(name, values), about)
        if not values[name]:
            sentence, hint = f"the site {site.name} declares no {name}", f"add {name}: to the site"
            raise refuse(self, where, "E141", sentence, hint, about)
        return values[name]

    def template(self, node: Node, extra: Sequence[str] = (), *, paths: bool = True) -> Text:
        """Read a text with values of the message."""
        word = self._text(node, lambda value: value.replace("{", "{{").replace("}", "}}"))

        if _IN_QUOTES.fullmatch(word):
            self.warn(
                word.node, "W211", f"{word[0]} and {word[-1]} are written as they are", 'write straight quotes: "…"'
            )

        def path_part(text: str, column: int) -> Part:
            if not paths:
                hint = "ids and codes only: {event}, {site}, {type}, {id}"
                raise TextError("a value of the message can't stand here", column, hint)
            path = self._path(text, word.node, column)
            return lambda context: path.first(context.message, context.at)

        try:
            return compile_text(word, path_part, self._names.key_names if paths else (), extra)
        except TextError as error:
            raise refuse(self, _column(word, error.column), "E114", error.reason, error.hint) from None

    # --- paths -------------------------------------------------------------------------------------------

    def path(self, node: Node) -> Path:
        """Read a path, authorities bound to the site."""
        word = self.word(node)
        return self._path(word, word.node, 0)

    def _path(self, text: str, node: Scalar, column: int) -> Path:
        path = self._parse(text, node, column)
        if not path.authorities:
            return path
        return path.bind(self._recognisers(path, self._variant or "", node, column))

    def _parse(self, text: str, node: Scalar, column: int) -> Path:
        try:
            path = Path.parse(text)
        except PathError as error:
            raise refuse(self, node.at(column + error.column), "E112", error.reason, error.hint) from None
        where = node.at(column, len(text))
        if path.relative and not self._foreach:
            raise refuse(
                self,
                where,
                "E136",
                "a path that begins with a dot stands inside foreach",
                f"write the segment: {text[3:] if text.startswith('../') else f'OBX-{text[1:]}'}",
            )
        self._check_reach(path, path.segment or self._foreach, where)
        if self._foreach and path.segment == self._foreach and not path.relative:
            self.warn(
                where,
                "W206",
                f"{text} reads the first {path.segment}, not the one at hand",
                f"write {text[len(path.segment) :].replace('-', '.', 1)}",
            )
        return path

    def _check_reach(self, path: Path, segment: str, where: Mark) -> None:
        """Tell what no version of HL7 has, and what counts repetitions that have no order."""
        if segment and not is_segment(segment):
            near = suggest(segment, segments())
            hint = near if near.startswith("did") else WRITE_ANOTHER
            raise refuse(self, where, "E155", f"no version of HL7 has a segment {segment}", hint)
        field = f"{segment}-{path.field}"
        last = last_field(segment)
        if last is not None and path.field > last.number:
            raise refuse(self, where, "E137", f"{segment} has no field {path.field}", f"its last one is {last.words}")
        most = last_component(segment, path.field)
        if most and path.component > most:
            sentence = f"{field} has no component {path.component} in any version of HL7"
            self.warn(where, "W207", sentence, f"its last one is {field}.{most}")
        if _POSITION.match(path.text) and is_unordered(segment, path.field):
            sentence = f"{path.text} counts repetitions, whose order isn't stable"
            self.warn(where, "W202", sentence, f"write {field}[@ipp] or [5=PI]")

    def _recognisers(
        self, path: Path, variant: str, node: Scalar, column: int
    ) -> dict[str, Callable[[bytes, Delimiters], list[int]]]:
        site, untyped = split_variant(variant)
        recogniser = self._names.authorities.of(site, untyped)
        bound: dict[str, Callable[[bytes, Delimiters], list[int]]] = {}
        for name in path.authorities:
            if name == "ins":
                bound[name] = is_ins
            elif name in recogniser.names:
                bound[name] = of_authority(recogniser, name)
            else:
                if not site and self._sources_refused:
                    raise Unreadable
                known = [*recogniser.names, "ins"]
                sentence = (
                    f"the site {site} declares no authority {name}" if site else f"no site is known here for @{name}"
                )
                where = node.at(column, len(path.text))
                raise refuse(self, where, "E133", sentence, suggest(name, known), about=("sites", site))
        return bound

    def paths_of(self, node: Node, variants: Sequence[str]) -> dict[str, Path]:
        """Read a path once for each variant; one without authorities also for "", a site not known."""
        word = self.word(node)
        path = self._parse(word, word.node, 0)
        if not path.authorities:
            return dict.fromkeys(["", *variants], path)
        return {one: path.bind(self._recognisers(path, one, word.node, 0)) for one in variants if one}

    # --- conditions (when.Scope) ------------------------------------------------------------------------

    def condition(self, node: Node) -> Callable[[Context], bool]:
        """Read a condition."""
        return self.clause(node).holds

    def clause(self, node: Node) -> Clause:
        """Read a condition whose clauses can be looked at."""
        word = self.word(node)

        def doubt(column: int, width: int, code: str, sentence: str, hint: str) -> None:
            self.warn(_column(word, column, width), code, sentence, hint)

        scope = ConditionScope(self._names, lambda path, column: self._operand(path, word.node, column), doubt)
        try:
            return compile_when(word, scope)
        except WhenError as error:
            where = _column(word, error.column, error.width)
            raise refuse(self, where, error.code, error.reason, error.hint) from None

    def _operand(self, path: str, node: Scalar, column: int) -> Operand:
        """Compile the reading of a path in a condition; for several variants, each message chooses its own."""
        if self._variant is not None or not self._variants:
            return _operand(self._path(path, node, column))
        plain = self._parse(path, node, column)
        if not plain.authorities:
            return _operand(plain)
        bound_by = {one: plain.bind(self._recognisers(plain, one, node, column)) for one in self._variants}

        def read(context: Context) -> list[str]:
            chosen = bound_by.get(context.variant)
            return [] if chosen is None else chosen.read(context.message, context.at)

        return Operand(read)

    # --- steps -------------------------------------------------------------------------------------------

    def table(self, node: Node) -> Table:
        """Read the name of a table."""
        word = self.word(node)
        table = self._names.tables.get(word)
        if table is None and word in self._names.refused_tables:
            raise Unreadable
        if table is None:
            raise refuse(self, node, "E132", f"there is no table {word}", suggest(word, self._names.tables))
        self._names.used_tables.add(word)
        return table

    def file(self, node: Node) -> tuple[str, str]:
        """Read a file that is named: its name as findings cite it, and its text."""
        word = self.word(node)
        found = self._names.read_file(word)
        if found is None:
            raise Unreadable  # it was reported
        self._findings.source(*found)
        return found

    def document(self, file: str, text: str) -> Node:
        """Read the text of a file as YAML."""
        document = read_document(file, text, self._findings)
        if document is None:
            raise Unreadable
        return document

    @contextmanager
    def inside(self, foreach: str) -> Iterator[None]:
        """Read paths that begin with a dot as those of a segment at hand."""
        before, self._foreach = self._foreach, foreach or self._foreach
        try:
            yield
        finally:
            self._foreach = before

    def site_recogniser(self) -> Recogniser:
        """Return the recogniser of the site for which steps are compiled."""
        return self._names.authorities.of(*split_variant(self._variant or ""))

    def allows_python(self) -> bool:
        """Whether code of the hospital's own may run."""
        return self._names.environment.get("PASSERELLE_PYTHON", "") == "yes"

    def registry(self) -> str:
        """Return what stands under `identity.registry`; empty: there is no such section."""
        return self._names.identity.registry if self._names.identity is not None else ""

    def patient_authorities(self) -> dict[str, Authority]:
        """Return by site the authority under which it numbers its patients."""
        return patient_authorities(self._names.sites)

    def destinations(self) -> Collection[str]:
        """Return the names of the declared destinations."""
        return self._names.templates.declared.get("destination", ())

    def answered_early(self) -> str:
        """Return a source of the route that answers before its routes run, or nothing."""
        return self._answered_early

    def steps(self, node: Node, foreach: str = "") -> tuple[Step, ...]:
        """Read a list of steps; `foreach` is the segment at hand inside `do:`."""
        if not isinstance(node, Items):
            raise refuse(self, node, "E106", f"steps are a list, this is a {node.kind}", "write one `- verb: …` a line")
        made: list[Step] = []
        failed = False
        with self.inside(foreach):
            for item in node.items:
                try:
                    made.extend(self._step(item))
                except Unreadable:
                    failed = True
        if failed:
            raise Unreadable
        return tuple(made)

    def _step(self, node: Node) -> tuple[Step, ...]:
        if not isinstance(node, Entries):
            raise refuse(self, node, "E106", "a step is a mapping", "write `- verb: …`")
        verbs = [(key, value) for key, value in node.entries if key.text in VERBS or key.text == "use"]
        own = {name for key, _ in verbs if key.text in VERBS for name in VERBS[key.text].beside}
        own |= {"with"} if any(key.text == "use" for key, _ in verbs) else set()
        for key, _ in node.entries:
            if key.text not in VERBS and key.text not in ("use", *BESIDE, *own):
                raise refuse(
                    self, key, "E122", f"there is no verb {key.text}", suggest(key.text, [*VERBS, "use", *BESIDE])
                )
        if len(verbs) != 1:
            sentence = (
                "a step has no verb"
                if not verbs
                else f"a step has one verb, this has {' and '.join(key.text for key, _ in verbs)}"
            )
            raise refuse(
                self,
                verbs[1][0] if verbs else node,
                "E147",
                sentence,
                f"verbs: {', '.join(VERBS)}" if not verbs else "make two steps",
            )
        key, argument = verbs[0]
        beside = {
            name: shape.read(found, self) for name, shape in BESIDE.items() if (found := node.get(name)) is not None
        }
        if key.text == "use":
            made = self._run(argument, node.get("with"))
            if {"when", "on_error"} & beside.keys():
                made = (Run(made),)  # its condition is asked once, and it is undone as a whole
        else:
            step = self._verb(VERBS[key.text], key, argument, node)
            step.label, step.mark = str(beside.get("label", "")), key.mark
            made = (step,)
        return tuple([around(step, beside) for step in made])

    def _verb(self, verb: Verb, key: Scalar, argument: Node, step: Entries) -> Step:
        # a finding about the whole argument points at the verb: that is where the eye looks for it
        argument.mark = key.mark if isinstance(argument, Entries) else argument.mark
        value = verb.shape.read(argument, self)
        if verb.beside:
            value = (value, *(step.get(name) for name in verb.beside))
        return verb.build(value, self, argument)

    def _run(self, name: Node, given: Node | None) -> tuple[Step, ...]:
        if not isinstance(name, Scalar):
            raise refuse(self, name, "E106", f"a text is wanted here, this is a {name.kind}", "write the name of a run")
        if name.text in self._open_runs:
            raise refuse(self, name, "E129", f"the run {name.text} uses itself", f"remove use: {name.text}")
        body = self._names.templates.use(name, given, "steps", self)
        before, self._open_runs = self._open_runs, (*self._open_runs, name.text)
        try:
            return self.steps(body)
        finally:
            self._open_runs = before


def _column(word: Word, column: int, width: int = 1) -> Mark:
    """Return the position of a column; of the whole text where `${…}` made it another."""
    return word.node.at(column, width) if word == word.node.text else word.node.mark


def _operand(path: Path) -> Operand:
    values = path.read
    return Operand(lambda context: values(context.message, context.at), path.first if path.is_plain else None)


def _mark_of(where: Node | Mark) -> Mark:
    return where.mark if isinstance(where, Node) else where
