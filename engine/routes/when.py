"""
The language of `when:`, compiled once to closures: total, no assignment, no calls out, no I/O.

A path reads 0..n values, erasing `""` not counted. A comparison is true when any value satisfies it; `all` in
front asks that there are values and all satisfy it; `!=` is *none equals*. `is empty` (absent), `is null` (the
two characters `""`) and `exists` (a value that isn't null) are three things.
"""

from __future__ import annotations

import fnmatch
import functools
import pathlib
import re
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import Any, Final, Protocol

import lark

from engine.errors import StepFailed
from engine.routes.expressions import ExpressionRefused, compile_expression
from engine.transforms.step import Context

Condition = Callable[[Context], bool]
Values = Callable[[Context], list[str]]
Test = Callable[[str], bool]

NULL: Final = '""'
CONTEXT_KEYS: Final = ("type", "event", "site", "source", "format", "control_id")
"""Built-in keys: each has one value, or none when it is empty."""

_DATE: Final = re.compile(
    r"[0-9]{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12][0-9]|3[01])[0-9]{0,6})?)?(?:\.[0-9]+)?(?:[+-][0-9]{4})?\Z"
)
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?\Z")
_DEPTH_MAX: Final = 60


class WhenError(Exception):
    """A condition that can't be compiled: what is wrong, in which column (from 0), what to write."""

    def __init__(self, code: str, reason: str, column: int, hint: str = "", *, width: int = 1) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.column = column
        self.hint = hint
        self.width = width


class Scope(Protocol):
    """What a condition may name; each raises WhenError."""

    def values_of(self, path: str, column: int) -> Values:
        """Compile the reading of a path."""

    def has_key(self, name: str) -> bool:
        """Whether a key is declared."""

    def keys(self) -> Collection[str]:
        """All keys, for suggestions."""

    def list_of(self, name: str, column: int) -> frozenset[str]:
        """Return a declared or shipped list."""

    def codes_of(self, name: str, column: int) -> frozenset[str]:
        """Return the codes of a table (its first key column)."""

    def suggest(self, text: str, allowed: Collection[str]) -> str:
        """Return `did you mean x?` or what is allowed."""


def compile_when(text: str, scope: Scope) -> Condition:
    """
    Compile a condition.

    Args:
        text: As written.
        scope: What it may name.

    Returns:
        A function of the context. It raises StepFailed (E-COMPARE) where `<` meets what is neither number
        nor date: a mixed comparison is an error, not false.

    Raises:
        WhenError: It can't be compiled.
    """
    depth = most = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        most = max(most, depth)
    if most > _DEPTH_MAX:
        raise WhenError("E113", "the parentheses are nested too deep", 0, "declare a list")
    try:
        tree = _parser().parse(text)
    except lark.exceptions.UnexpectedInput as error:
        raise _syntax(text, error) from None
    return _Compiler(scope).expression(tree.children[0])


@functools.cache
def _parser() -> lark.Lark:
    grammar = pathlib.Path(__file__).with_name("when.lark").read_text(encoding="ascii")
    return lark.Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


_WORDS: Final[dict[str, str]] = {
    "PATH": "a path (PID-3.1)", "KEY": "a key (event)", "COMPARE": "== != < <= > >=", "STRING": '"a text"',
    "WORD": "a word",
    "LIST": "the name of a list", "REGEX": "/a regular expression/", "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]",
    "COMMA": ",", "$END": "the end",
}  # fmt: skip


def _syntax(text: str, error: lark.exceptions.UnexpectedInput) -> WhenError:
    column = error.pos_in_stream if isinstance(error.pos_in_stream, int) else len(text)
    wanted: Collection[str] = ()
    if isinstance(error, lark.exceptions.UnexpectedToken):
        wanted = error.accepts or error.expected
        if error.token.type == "$END":
            column = len(text)
    elif isinstance(error, lark.exceptions.UnexpectedCharacters):
        wanted = error.allowed or ()
    names = sorted(_WORDS.get(name, name.lower()) for name in wanted if name != "WS")
    if "PATH" in wanted:
        names = ["a test: event == A01, PID-3.1 exists, not (…)"]
    if column >= len(text.rstrip()):
        return WhenError(
            "E113", "the condition ends too early", max(0, len(text.rstrip()) - 1), f"write {' or '.join(names)}"
        )
    word = re.match(r"[\w.-]+|.", text[column:].lstrip())
    shown = word[0] if word is not None else "this"
    if text.startswith("=", column) and not text.startswith("==", column):
        return WhenError("E113", "= compares nothing", column, "write ==")
    hint = f"write {' or '.join(names)}" if names else ""
    return WhenError("E113", f"{shown} can't stand here", column, hint, width=len(shown) if word is not None else 1)


class _Compiler:
    """From the tree to closures; one method a node of the grammar."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def expression(self, tree: Any) -> Condition:
        """Compile either, both, negation or a test."""
        kind = tree.data
        if kind in ("either", "both"):
            parts = tuple(self.expression(child) for child in tree.children)
            return _any_of(parts) if kind == "either" else _all_of(parts)
        if kind == "negation":
            inner = self.expression(tree.children[0])
            return lambda context: not inner(context)
        return self._test(str(kind).removeprefix("test_"), *tree.children)

    def _test(self, quantifier: str, operand: Any, op: Any) -> Condition:
        kind = str(op.data)
        direct = self._direct(quantifier, operand, kind, op)
        if direct is not None:
            return direct
        values = self._values(operand)
        if kind == "exists":
            return lambda context: any(value and value != NULL for value in values(context))
        if kind == "empty":
            return lambda context: not any(values(context))
        if kind == "null":
            return lambda context: NULL in values(context)
        if kind == "compare" and str(op.children[0]) == "!=":
            equal = self._checker(operand, "==", op)
            if quantifier == "any":
                return lambda context: any(not equal(value) for value in values(context) if value and value != NULL)
            if quantifier == "all":
                return _all_values(values, lambda value: not equal(value))
            return lambda context: not any(equal(value) for value in values(context) if value and value != NULL)
        check = self._checker(operand, str(op.children[0]) if kind == "compare" else "", op)
        return _all_values(values, check) if quantifier == "all" else _any_value(values, check)

    def _direct(self, quantifier: str, operand: Any, kind: str, op: Any) -> Condition | None:
        """The commonest tests on built-in keys, without a list in between."""
        if operand.data != "key" or str(operand.children[0]) not in CONTEXT_KEYS or quantifier == "all":
            return None
        get = attrgetter(str(operand.children[0]))
        if kind == "compare" and str(op.children[0]) in ("==", "!="):
            wanted = self._literal(op.children[1])
            if str(op.children[0]) == "==":
                return lambda context: bool(get(context) == wanted)
            return lambda context: bool(get(context) != wanted)
        if kind in ("among", "in_list", "in_table"):
            known = self._set(kind, op)
            return lambda context: get(context) in known
        return None

    def _values(self, operand: Any) -> Values:
        token = operand.children[0]
        text, column = str(token), int(token.start_pos or 0)
        if operand.data == "key":
            if text in CONTEXT_KEYS:
                get = attrgetter(text)
                return lambda context: [get(context)]
            if not self._scope.has_key(text):
                known = [*CONTEXT_KEYS, *self._scope.keys()]
                hint = self._scope.suggest(text, known)
                raise WhenError("E130", f"{text} is no key", column, hint, width=len(text))
            return lambda context: context.key(text)
        values = self._scope.values_of(text, column)
        if operand.data == "length":
            return lambda context: [str(len(value)) for value in values(context) if value != NULL]
        return values

    def _checker(self, operand: Any, sign: str, op: Any) -> Test:
        kind = str(op.data)
        name = str(operand.children[0])
        if sign:
            numeric = operand.data in ("length", "number")
            return self._comparison(sign, op.children[1], name, numeric=numeric)
        if kind in ("among", "in_list", "in_table"):
            known = self._set(kind, op)
            return lambda value: value in known
        if kind == "matches":
            return self._expression(op.children[0])
        wanted = self._literal(op.children[0])
        if kind == "contains":
            return lambda value: wanted in value
        if kind == "starts":
            return lambda value: value.startswith(wanted)
        if kind == "ends":
            return lambda value: value.endswith(wanted)
        glob = re.compile(fnmatch.translate(re.sub(r"\*+", "*", wanted))).match
        return lambda value: glob(value[:4096]) is not None

    def _comparison(self, sign: str, node: Any, name: str, *, numeric: bool) -> Test:
        wanted = self._literal(node)
        column = int(node.children[0].start_pos or 0)
        if sign == "==" and not numeric:
            return lambda value: value == wanted
        as_date = not numeric and _DATE.match(wanted) is not None and len(wanted) >= 8
        if not as_date and not _NUMBER.match(wanted):
            raise WhenError(
                "E135", f"{sign} compares numbers and dates, this is neither", column, "write 18, or a date: 20260101"
            )
        return _ordered(sign, wanted, name) if as_date else _numeric(sign, float(wanted), name)

    def _set(self, kind: str, op: Any) -> frozenset[str]:
        if kind == "among":
            return frozenset(self._literal(child) for child in op.children)
        token = op.children[0]
        name, column = str(token), int(token.start_pos or 0)
        return self._scope.list_of(name, column) if kind == "in_list" else self._scope.codes_of(name, column)

    def _literal(self, node: Any) -> str:
        token = node.children[0]
        text = str(token)
        if token.type == "STRING":
            text = text[1:-1]
            if not text or text == NULL:
                raise WhenError("E145", "nothing is equal to an empty text", int(token.start_pos or 0),
                                "write `is empty` (absent), `is null` (erased) or `exists`")  # fmt: skip
        return text

    def _expression(self, token: Any) -> Test:
        try:
            return compile_expression(str(token)[1:-1].replace("\\/", "/"))
        except ExpressionRefused as error:
            raise WhenError("E123", error.reason, int(token.start_pos or 0), error.hint) from None


def _any_of(parts: tuple[Condition, ...]) -> Condition:
    if len(parts) == 2:
        first, second = parts
        return lambda context: first(context) or second(context)

    def either(context: Context) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs more on the walk of a message
            if part(context):
                return True
        return False

    return either


def _all_of(parts: tuple[Condition, ...]) -> Condition:
    if len(parts) == 2:
        first, second = parts
        return lambda context: first(context) and second(context)

    def both(context: Context) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if not part(context):
                return False
        return True

    return both


def _any_value(values: Values, check: Test) -> Condition:
    def holds(context: Context) -> bool:
        for value in values(context):  # noqa: SIM110 - as above
            if value and value != NULL and check(value):
                return True
        return False

    return holds


def _all_values(values: Values, check: Test) -> Condition:
    def holds(context: Context) -> bool:
        found = [value for value in values(context) if value and value != NULL]
        return bool(found) and all(check(value) for value in found)

    return holds


_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda one, other: bool(one == other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


def _numeric(sign: str, wanted: float, name: str) -> Test:
    compare = _SIGNS[sign]

    def check(value: str) -> bool:
        text = value.strip()
        if not _NUMBER.match(text):
            raise StepFailed("E-COMPARE", f"{sign} compares a number with what is none", field=name)
        return compare(float(text), wanted)

    return check


def _ordered(sign: str, wanted: str, name: str) -> Test:
    """Compare HL7 dates to the precision that both have: 2026 is neither before nor after 20260101."""
    compare = _SIGNS[sign]
    wanted = _digits(wanted)

    def check(value: str) -> bool:
        if not _DATE.match(value):
            raise StepFailed("E-COMPARE", f"{sign} compares a date with what is none", field=name)
        text = _digits(value)
        shared = min(len(text), len(wanted))
        return compare(text[:shared], wanted[:shared])

    return check


def _digits(date: str) -> str:
    """Leave fractions and zone aside: senders write local time, and most of them no zone."""
    return re.split(r"[.+-]", date, maxsplit=1)[0]
