"""A condition's tree to closures, for the walk of messages, and to clauses, for those who want to see why."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

from engine.core.expressions import ExpressionRefused, compile_expression
from engine.dictionary.kinds import message_types, trigger_events
from engine.parsers.hl7v2.message import Message
from engine.routes.when.comparing import SIGNS, Test, age, comparison, day_of
from engine.routes.when.grammar import WhenError, parse
from engine.transforms.step import Context

Condition = Callable[[Context], bool]
Values = Callable[[Context], list[str]]

NULL: Final = '""'
CONTEXT_KEYS: Final = ("type", "event", "site", "source", "format", "control_id")
"""Built-in keys: each has one value, or none when it is empty."""
PATIENT: Final = "patient"
"""A built-in key with as many values as the message has patients' numbers."""
WORDS: Final = frozenset({"and", "or", "not", "any", "all", "in", "is", "length", "number", "age"})
"""Words of the language, which no declared key may have as its name."""
_GLOB_MAX: Final = 4096


class Operand(NamedTuple):
    """How a path is read."""

    values: Values
    first: Callable[[Message], str] | None = None
    """Where the path leads to one value at most: it, or an empty text, straight from the message."""


class Scope(Protocol):
    """What a condition may name; each raises WhenError."""

    def operand(self, path: str, column: int) -> Operand:
        """Compile the reading of a path."""

    def has_key(self, name: str) -> bool:
        """Whether a key is declared."""

    def keys(self) -> Collection[str]:
        """All declared keys, for suggestions."""

    def patients(self) -> Values:
        """Return what reads the numbers of the patients that a message is about."""

    def list_of(self, name: str, column: int) -> frozenset[str]:
        """Return a declared or shipped list."""

    def codes_of(self, name: str, column: int) -> frozenset[str]:
        """Return the codes of a table (its first key column)."""

    def zones(self) -> Mapping[str, tzinfo]:
        """Return the time zones of the sites; `""` for a site that isn't known."""

    def doubt(self, column: int, width: int, code: str, sentence: str, hint: str) -> None:
        """Warn of a test that says something else than is meant."""

    def possible(self, key: str) -> Collection[str] | None:
        """Return all values that a built-in key can have; None: nobody knows."""

    def suggest(self, text: str, allowed: Collection[str]) -> str:
        """Return `did you mean x?` or what is allowed."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition, or a part of one."""

    kind: str
    """`or`, `and`, `not` or `test`."""
    text: str
    """As it is written."""
    holds: Condition
    """
    Asks it. Raises StepFailed (E-COMPARE) where `<` meets what is neither number nor date: a mixed comparison
    is an error, not false.
    """
    clauses: tuple[Clause, ...] = ()
    path: str = ""
    """What a test looks at: a path, or a key."""
    operand: str = ""
    """The same as it is written: `length(PID-5.1)`."""
    values: Values | None = None
    """What a test sees there."""


def compile_when(text: str, scope: Scope) -> Clause:
    """
    Compile a condition.

    Args:
        text: As written.
        scope: What it may name.

    Raises:
        WhenError: It can't be compiled.
    """
    return _Compiler(text, scope).clause(parse(text))


class _Compiler:
    """From the tree to closures; one method a node of the grammar."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope

    def clause(self, tree: Any) -> Clause:
        """Compile either, both, negation or a test."""
        kind = str(tree.data)
        text = self._text[tree.meta.start_pos : tree.meta.end_pos]
        if kind in ("either", "both"):
            clauses = tuple(self.clause(child) for child in tree.children)
            join = _any_of if kind == "either" else _all_of
            return Clause("or" if kind == "either" else "and", text, join([one.holds for one in clauses]), clauses)
        if kind == "negation":
            inner = self.clause(tree.children[0])
            return Clause("not", text, _negated(inner.holds), (inner,))
        operand, op = tree.children
        seen = self._operand(operand)
        self._look_for_doubt(operand, op)
        holds = self._test(kind.removeprefix("test_"), operand, seen, op)
        written = self._text[operand.meta.start_pos : operand.meta.end_pos]
        return Clause("test", text, holds, path=str(operand.children[0]), operand=written, values=seen.values)

    # --- what is read --------------------------------------------------------------------------------------

    def _operand(self, operand: Any) -> Operand:
        token = operand.children[0]
        text, column = str(token), int(token.start_pos or 0)
        if operand.data == "key":
            return Operand(self._key(text, column))
        seen = self._scope.operand(text, column)
        values = seen.values
        if operand.data == "length":
            return Operand(lambda context: [str(len(value)) for value in values(context) if value != NULL])
        if operand.data == "age":
            return Operand(self._ages(values, text))
        return seen

    def _key(self, name: str, column: int) -> Values:
        if name in CONTEXT_KEYS:
            get = attrgetter(name)
            return lambda context: [value] if (value := get(context)) else []
        if name == PATIENT:
            return self._scope.patients()
        if not self._scope.has_key(name):
            known = [*CONTEXT_KEYS, PATIENT, *self._scope.keys()]
            hint = self._scope.suggest(name, known)
            raise WhenError("E130", f"{name} is no key", column, hint, width=len(name))
        return lambda context: context.key(name)

    def _ages(self, values: Values, name: str) -> Values:
        zones = self._scope.zones()
        otherwise = zones[""]

        def read(context: Context) -> list[str]:
            born = [value for value in values(context) if value != NULL]
            if not born:
                return born
            today = day_of(context.received_ms, zones.get(context.site, otherwise))
            return [str(age(value, today, name)) for value in born]

        return read

    # --- tests ---------------------------------------------------------------------------------------------

    def _test(self, quantifier: str, operand: Any, seen: Operand, op: Any) -> Condition:
        kind = str(op.data)
        values, first = seen
        if kind == "exists":
            return _exists(values, first)
        if kind == "empty":
            return (lambda context: not first(context.message)) if first else (lambda context: not values(context))
        if kind == "null":
            return lambda context: NULL in values(context)
        different = kind == "compare" and str(op.children[0]) == "!="
        if quantifier != "all" and not (different and quantifier == "any"):
            direct = self._direct(operand, seen, op, different=different)
            if direct is not None:
                return direct
        check = self._check(operand, op)
        if different:
            if quantifier == "default":
                return _negated(_any_value(values, check))
            equal, check = check, lambda value: not equal(value)
        return _all_values(values, check) if quantifier == "all" else _any_value(values, check)

    def _direct(self, operand: Any, seen: Operand, op: Any, *, different: bool) -> Condition | None:
        """The commonest tests, on what has one value at most, without a list in between."""
        kind, key = str(op.data), operand.data == "key" and str(operand.children[0])
        get = attrgetter(key) if key in CONTEXT_KEYS else None
        first = seen.first
        if get is None and first is None:
            return None
        if kind == "compare" and (different or str(op.children[0]) == "=="):
            if operand.data == "number":
                return None
            wanted = self._literal(op.children[1])
            return _equals(get, first, wanted, different=different)
        if kind in ("among", "in_list", "in_table"):
            known = self._set(kind, op) - {"", NULL}
            return _among(get, first, known)
        if first is not None:
            check = self._check(operand, op)
            return lambda context: bool((value := first(context.message)) and value != NULL and check(value))
        return None

    def _check(self, operand: Any, op: Any) -> Test:
        """Return the test of one value; for `!=`, whether it is equal."""
        kind = str(op.data)
        if kind == "compare":
            return self._comparison(str(op.children[0]).replace("!=", "=="), operand, op.children[1])
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
        return lambda value: glob(value[:_GLOB_MAX]) is not None

    def _comparison(self, sign: str, operand: Any, node: Any) -> Test:
        wanted = self._literal(node)
        token, numeric = node.children[0], operand.data in ("length", "number", "age")
        if sign == "==" and not numeric:
            return lambda value: value == wanted
        made = comparison(sign, wanted, str(operand.children[0]), numeric=numeric)
        if made is None:
            sentence = f"{sign} compares numbers and dates, this is neither"
            hint = "write a number: 18" if numeric else "write 18, or a date: 20260101"
            raise WhenError("E135", sentence, int(token.start_pos or 0), hint, width=len(token))
        return made

    # --- literals ------------------------------------------------------------------------------------------

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
                                "write `is empty` (absent), `is null` (erased) or `exists`", width=2)  # fmt: skip
        return text

    def _expression(self, token: Any) -> Test:
        try:
            return compile_expression(str(token)[1:-1].replace("\\/", "/"))
        except ExpressionRefused as error:
            where = int(token.start_pos or 0)
            raise WhenError("E123", error.reason, where, error.hint, width=len(token)) from None

    def _look_for_doubt(self, operand: Any, op: Any) -> None:
        """Warn of a built-in key that is compared with what it never is."""
        key, kind = str(operand.children[0]), str(op.data)
        if operand.data != "key" or key not in CONTEXT_KEYS:
            return
        values = op.children[1:] if kind == "compare" else op.children if kind == "among" else ()
        if kind == "compare" and str(op.children[0]) not in SIGNS and str(op.children[0]) != "!=":
            return
        for node in values:
            token, text = node.children[0], self._literal(node)
            told = _never(key, text, self._scope)
            if told is not None:
                self._scope.doubt(int(token.start_pos or 0), len(token), "W208", *told)


_EVENT: Final = re.compile(r"[A-Z][0-9]{2}")
_HPRIM: Final = ("ADM", "ERR", "FAC", "ORM", "ORU", "REG")
"""Contexts (H-6): the types of HPRIM Santé."""
_MISREAD: Final = str.maketrans("OIL", "011")
"""Letters that are written for digits: AO1."""


def _never(key: str, text: str, scope: Scope) -> tuple[str, str] | None:
    """Return why a built-in key never has a value, and what to write."""
    if key in ("type", "event"):
        return _never_a_kind(key, text, scope)
    possible = scope.possible(key)
    if possible is not None and text not in possible:
        return f"no {key} is named {text}", scope.suggest(text, possible)
    return None


def _never_a_kind(key: str, text: str, scope: Scope) -> tuple[str, str] | None:
    """Say the same of a type or an event: what no version of HL7 and no HPRIM has; Z… is the partners' own."""
    if "^" in text:
        type_, event = text.split("^")[:2]
        return f"{key} is one part of MSH-9 only", f"write type == {type_} and event == {event}"
    types, events = (*message_types(), *_HPRIM), trigger_events()
    known, others, other = (types, events, "event") if key == "type" else (events, types, "type")
    if text in known or text[:1] == "Z":
        return None
    if text in others or (other == "event" and _EVENT.fullmatch(text)):
        return (
            f"{text} is {'an event, not a type' if key == 'type' else 'a type, not an event'}",
            f"write {other} == {text}",
        )
    upper = text.upper()
    meant = (upper, upper[:1] + upper[1:].translate(_MISREAD), f"{upper[:1]}0{upper[1:]}")
    hint = next((f"did you mean {one}?" for one in meant if one in known), "") or scope.suggest(text, known)
    if not hint.startswith("did you mean"):  # all of them are too many to list
        hint = f"look at HL7's table {'0076' if key == 'type' else '0003'}"
    return f"no version of HL7 has the {key} {text}", hint


# --- closures ------------------------------------------------------------------------------------------------


def _negated(condition: Condition) -> Condition:
    return lambda context: not condition(context)


def _equals(
    get: Callable[[Context], str] | None, first: Callable[[Message], str] | None, wanted: str, *, different: bool
) -> Condition:
    if get is not None:
        if different:
            return lambda context: bool(get(context) != wanted)
        return lambda context: bool(get(context) == wanted)
    assert first is not None, "one of both is given"
    if different:
        return lambda context: first(context.message) != wanted
    return lambda context: first(context.message) == wanted


def _among(
    get: Callable[[Context], str] | None, first: Callable[[Message], str] | None, known: frozenset[str]
) -> Condition:
    if get is not None:
        return lambda context: get(context) in known
    assert first is not None, "one of both is given"
    return lambda context: first(context.message) in known


def _exists(values: Values, first: Callable[[Message], str] | None) -> Condition:
    if first is not None:
        return lambda context: bool((value := first(context.message)) and value != NULL)
    return lambda context: any(value != NULL for value in values(context))


def _any_of(conditions: list[Condition]) -> Condition:
    if len(conditions) == 2:
        one, two = conditions
        return lambda context: one(context) or two(context)
    if len(conditions) == 3:
        one, two, three = conditions
        return lambda context: one(context) or two(context) or three(context)
    together = tuple(conditions)

    def either(context: Context) -> bool:
        for condition in together:  # noqa: SIM110 - a generator costs more on the walk of a message
            if condition(context):
                return True
        return False

    return either


def _all_of(conditions: list[Condition]) -> Condition:
    if len(conditions) == 2:
        one, two = conditions
        return lambda context: one(context) and two(context)
    if len(conditions) == 3:
        one, two, three = conditions
        return lambda context: one(context) and two(context) and three(context)
    if len(conditions) == 4:
        one, two, three, four = conditions
        return lambda context: one(context) and two(context) and three(context) and four(context)
    together = tuple(conditions)

    def both(context: Context) -> bool:
        for condition in together:  # noqa: SIM110 - as above
            if not condition(context):
                return False
        return True

    return both


def _any_value(values: Values, check: Test) -> Condition:
    def holds(context: Context) -> bool:
        for value in values(context):  # noqa: SIM110 - as above
            if value != NULL and check(value):
                return True
        return False

    return holds


def _all_values(values: Values, check: Test) -> Condition:
    def holds(context: Context) -> bool:
        found = [value for value in values(context) if value != NULL]
        return bool(found) and all(check(value) for value in found)

    return holds
