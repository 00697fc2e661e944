"""
Declarations that are written once and used several times: templates with typed parameters, and defaults.

A use makes a copy of the template's body. Its texts know what `${param}` stands for, and its positions know
the use: whatever is found wrong in the copy cites both ends. Nothing is replaced in the text of the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from engine.routes import schema
from engine.routes.suggestions import suggest
from engine.transforms.nodes import Entries, Items, Mark, Node, Scalar
from engine.transforms.shapes import Choice, NameShape, Shape, Unreadable, refuse

if TYPE_CHECKING:
    from engine.routes.reading import Reading

REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
_WORDS: Final = ("use", "with")


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a template."""

    key: Scalar
    """Its name, where it is declared."""
    kind: str
    """`port`, `site`…"""
    shape: Shape | None
    """What its values must be; None: they name something that is declared."""
    default: Node | None


@dataclass(frozen=True, slots=True)
class Template:
    """One template, or a named run of steps, which has no parameters."""

    key: Scalar
    """Its name, where it is declared."""
    kind: str
    """What it makes: `source`, `destination`, `route` or `steps`."""
    body: Node
    params: Mapping[str, Param] = field(default_factory=dict)


def read_template(key: Scalar, node: Node, reading: Reading) -> Template:
    """
    Read one entry of `templates:`.

    Raises:
        Unreadable: It was reported.
    """
    values = schema.TEMPLATE.read(node, reading)
    made = [kind for kind in schema.KINDS if values[kind] is not None]
    if len(made) != 1:
        sentence = f"the template {key.text} makes {'nothing' if not made else ' and '.join(made)}"
        raise refuse(reading, key, "E105", sentence, "write one of source:, destination:, route: and steps:")
    params = {str(name): _param(name.node, given, reading) for name, given in values["params"] or []}
    body: Node = values[made[0]]
    asked = set(_references(body))
    for name, param in params.items():
        if name not in asked:
            reading.warn(
                param.key, "W205", f"nothing in the template asks for {name}", f"write ${{{name}}}, or remove it"
            )
    return Template(key, made[0], body, params)


def _param(key: Scalar, given: Mapping[str, Any], reading: Reading) -> Param:
    kind = str(given["type"])
    shape = schema.VALUES.get(kind)
    if kind == "choice":
        if given["values"] is None:
            raise refuse(reading, key, "E105", f"{key.text} is a choice without values", "add values: [a, b]")
        shape = Choice(*(str(word) for word in given["values"]))
    return Param(key, kind, shape, given["default"])


def _references(node: Node) -> Iterable[str]:
    """Yield what stands between `${` and `}` in a body, keys of mappings included."""
    if isinstance(node, Scalar):
        yield from (match[1].strip() for match in REFERENCE.finditer(node.text))
    elif isinstance(node, Items):
        for item in node.items:
            yield from _references(item)
    elif isinstance(node, Entries):
        for key, value in node.entries:
            yield from _references(key)
            yield from _references(value)


class Templates:
    """The templates and runs of a configuration, and what became of them."""

    def __init__(self) -> None:
        self.known: dict[str, Template] = {}
        self.used: set[str] = set()
        self.declared: Mapping[str, Collection[str]] = {}
        """By kind of parameter (`site`, `table`…), the names that its values may be."""
        self._made: dict[int, tuple[Node, Node]] = {}
        """Copies of the runs that steps use, by the node of the use: it is read once for each site."""

    def use(self, name: Scalar, given: Node | None, kind: str, reading: Reading) -> Node:
        """
        Make the copy for one use.

        Args:
            name: What stands behind `use:`.
            given: What stands behind `with:`.
            kind: What is wanted here: `source`, `destination`, `route`, `steps`.
            reading: Reads the values.

        Raises:
            Unreadable: It was reported.
        """
        made = self._made.get(id(name))
        if made is not None:
            return made[1]
        template = self._find(name, kind, reading)
        self.used.add(template.key.text)
        copy = _copy(template.body, self._bind(template, name, given, reading), name.mark)
        self._made[id(name)] = (name, copy)
        return copy

    def _find(self, name: Scalar, kind: str, reading: Reading) -> Template:
        text = str(reading.word(name))
        template = self.known.get(text)
        if template is None:
            allowed = [one for one, known in self.known.items() if known.kind == kind]
            what = "run of steps" if kind == "steps" else "template"
            raise refuse(reading, name, "E127", f"there is no {what} {text}", suggest(text, allowed))
        if template.kind != kind:
            with reading.citing(template.key.mark, "it stands here"):
                article = "steps" if template.kind == "steps" else f"a {template.kind}"
                raise refuse(reading, name, "E127", f"the template {text} makes {article}, not what is wanted here",
                             f"a template with {kind}: is wanted")  # fmt: skip
        return template

    def _bind(self, template: Template, name: Scalar, given: Node | None, reading: Reading) -> dict[str, Node]:
        if given is not None and not isinstance(given, Entries):
            raise refuse(reading, given, "E106", f"with is a mapping, this is a {given.kind}", "write { name: value }")
        bindings: dict[str, Node] = {}
        failed = False
        for key, value in given.entries if given is not None else ():
            param = template.params.get(key.text)
            if param is None:
                with reading.citing(template.key.mark, "the template stands here"):
                    sentence = f"the template {template.key.text} has no parameter {key.text}"
                    reading.error(key, "E126", sentence, suggest(key.text, template.params))
                failed = True
                continue
            bindings[key.text] = value
            failed = not self._check(param, value, reading) or failed
        for one, param in template.params.items():
            if one in bindings:
                continue
            if param.default is not None:
                bindings[one] = param.default
                failed = not self._check(param, param.default, reading) or failed
                continue
            with reading.citing(param.key.mark, "the parameter is declared here"):
                reading.error(name, "E125", f"{one} has no value", f"add with: {{ {one}: … }}")
            failed = True
        if failed:
            raise Unreadable
        return bindings

    def _check(self, param: Param, value: Node, reading: Reading) -> bool:
        """Read a value as its parameter wants it; returns whether it may be used."""
        with reading.citing(param.key.mark, f"the parameter is declared here, its type is {param.kind}"):
            if param.shape is not None:
                return reading.read(param.shape, value) is not None
            name = reading.read(NameShape(), value)
            if name is None:
                return False
            known = self.declared[param.kind]
            if name not in known:
                sentence = f"there is no {param.kind} {name}"
                reading.error(value, "E116", sentence, suggest(name, known), about=(f"{param.kind}s", str(name)))
            return name in known

    def steps_of(self, name: str) -> Node | None:
        """Return the steps of a run or template, as declared; None: there is none."""
        template = self.known.get(name)
        return template.body if template is not None and template.kind == "steps" else None

    def expanded(
        self, entries: Iterable[tuple[Scalar, Node]], kind: str, reading: Reading
    ) -> list[tuple[Scalar, Node]]:
        """Return the entries of a section, uses of templates replaced by what they make; refused ones are left out."""
        return [(key, made) for key, node in entries if (made := self._expand(node, kind, reading)) is not None]

    def _expand(self, node: Node, kind: str, reading: Reading) -> Node | None:
        if not isinstance(node, Entries) or (name := node.get("use")) is None:
            return node
        if not isinstance(name, Scalar):
            reading.error(name, "E106", f"a text is wanted here, this is a {name.kind}", "write the name of a template")
            return None
        try:
            body = self.use(name, node.get("with"), kind, reading)
        except Unreadable:
            return None
        if not isinstance(body, Entries):
            reading.error(body, "E106", f"{kind} is a mapping, this is a {body.kind}", "write one `key: value` a line")
            return None
        own = [(key, value) for key, value in node.entries if key.text not in _WORDS]
        return completed(Entries(body.mark, own), body.entries)


def completed(node: Entries, entries: Iterable[tuple[Scalar, Node]]) -> Entries:
    """Return a mapping with further entries; where both have a key, the mapping's own stays."""
    own = {key.text for key, _ in node.entries}
    return Entries(node.mark, [*node.entries, *((key, value) for key, value in entries if key.text not in own)])


def _copy(node: Node, bindings: Mapping[str, Node], via: Mark) -> Node:
    mark = node.mark._replace(via=via)
    if isinstance(node, Scalar):
        whole = REFERENCE.fullmatch(node.text)
        bound = bindings.get(whole[1].strip()) if whole is not None else None
        if bound is not None and not isinstance(bound, Scalar):
            return bound  # a list takes the place of `${networks}`
        return Scalar(mark, node.text, plain=node.plain, bindings=bindings)
    if isinstance(node, Items):
        return Items(mark, [_copy(item, bindings, via) for item in node.items])
    assert isinstance(node, Entries), "there are no other nodes"
    return Entries(mark, [(_copy_key(key, bindings, via), _copy(value, bindings, via)) for key, value in node.entries])


def _copy_key(key: Scalar, bindings: Mapping[str, Node], via: Mark) -> Scalar:
    return Scalar(key.mark._replace(via=via), key.text, plain=key.plain, bindings=bindings)
