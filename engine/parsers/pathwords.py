"""
The grammar of a path, and the sentences that say what is wrong with one and what to write.

    path       := segment [ "[" which "]" ] [ "-" field repetitions [ "." component [ "." subcomponent ] ] ]
                | "." field repetitions [ "." component [ "." subcomponent ] ]              relative, in foreach
                | "../" segment "-" field …                    the nearest such segment before the one at hand
    which      := "*" | "last" | number | test                                 test on a field: OBX[3=2160-0]
    repetitions:= "" | "[" ( "*" | "last" | "+" | number | "@" name,* | test ) "]"       test on a component
    test       := number [ "." number ] ( "=" value | "!=" value | " in " value,* )

Everything counts from 1. A value may stand between double quotes.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from typing import Final

from engine.errors import PathError

_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{0,2}")
_NUMBER: Final = re.compile(r"[0-9]+")
_TEST: Final = re.compile(r"\s*([0-9]+)(?:\.([0-9]+))?\s*(!=|=|in(?=[\s\[]))\s*(.*)", re.DOTALL)
_DIGITS_MAX: Final = 4
"""Of any number; one more for segments, of which a message may have 20,000 (parsers.extent)."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which segments or repetitions of several."""

    kind: str
    """`all`, `last`, `number`, `append`, `authority` or `test`."""
    number: int = 0
    names: tuple[str, ...] = ()
    part: int = 0
    subpart: int = 0
    wanted: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A path taken apart."""

    segment: str
    """Empty for a relative path."""
    which: Selector | None
    field: int
    """0: the path names segments."""
    repetition: Selector | None
    component: int
    subcomponent: int
    above: bool = False
    """It reads the head of the group: the nearest segment of that name before the one at hand."""


@functools.lru_cache(maxsize=512)
def take_apart(text: str) -> Words:
    """
    Read a path; the last ones are kept: a route is compiled once for each site.

    Raises:
        PathError: It is none; the error has the column and what to write.
    """
    return _Reader(text).path()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def refusal(self, reason: str, hint: str, column: int | None = None) -> PathError:
        return PathError(reason, column=self.at if column is None else column, hint=hint)

    def path(self) -> Words:
        text = self.text
        if not text:
            raise self.refusal("the path is empty", "write a path as PID-3.1")
        if text != text.strip() or (" " in text and "[" not in text):
            raise self.refusal("a path has no blanks", f"write {''.join(text.split())}", len(text) - len(text.lstrip()))
        if text.startswith("../"):
            return self.above()
        if text.startswith("."):
            segment, which = "", None
            self.at = 1
        else:
            segment = self.segment()
            which = self.selector(of_segments=True)
            if self.at == len(text):
                return Words(segment, which, 0, None, 0, 0)
            self.dash(segment)
        field = self.number("field", "fields")
        repetition = self.selector(of_segments=False)
        component = self.part("component", f"{segment}-{field}" if segment else f".{field}")
        subcomponent = self.part("subcomponent", "") if component else 0
        self.end()
        return Words(segment, which, field, repetition, component, subcomponent)

    def above(self) -> Words:
        """Read what follows `../`: a path with its segment and its field, and no choice of segments."""
        try:
            words = take_apart(self.text[3:])
        except PathError as error:
            hint = error.hint.replace("write ", "write ../", 1) if error.hint.startswith("write ") else error.hint
            raise self.refusal(str(error), hint, error.column + 3) from None
        if words.which is not None:
            raise self.refusal("../ leads to one segment", f"write ../{words.segment}-{words.field or 1}", 3)
        if words.above or not words.segment or not words.field:
            raise self.refusal("a segment and a field stand after ../", "write ../OBR-3", 3)
        return replace(words, above=True)

    def segment(self) -> str:
        match = _SEGMENT.match(self.text)
        if match:
            name = match[0]
            following = self.text[len(name) : len(name) + 1]
            if not (following.isalnum() or following == "_"):
                self.at = len(name)
                return name
        lower = re.match(r"([A-Za-z][A-Za-z0-9]{0,2})(?=[-.\[]|$)", self.text)
        if lower and not lower[1].isupper():
            raise self.refusal(
                "a segment's name is written in capitals", f"write {lower[1].upper()}{self.text[lower.end() :]}"
            )
        joined = re.match(r"([A-Z][A-Z0-9]{2})[_ ]?([0-9].*)", self.text)
        if joined:
            raise self.refusal("a dash stands between segment and field", f"write {joined[1]}-{joined[2]}", 3)
        raise self.refusal("a path begins with a segment's name", "write a path as PID-3.1, ZBE-4 or OBX[*]-5")

    def dash(self, segment: str) -> None:
        text, following = self.text, self.text[self.at]
        if following == "-":
            self.at += 1
            return
        rest = text[self.at + 1 :]
        if following in "._/:|":
            raise self.refusal("a dash stands between segment and field", f"write {text[: self.at]}-{rest}")
        if following == "(":
            inside = rest.replace(")", "]", 1)
            raise self.refusal("which one stands between square brackets", f"write {segment}[{inside}")
        hint = f"write a dash and a field after the segment: {segment}-1"
        raise self.refusal(f"{following!r} can't stand here", hint)

    def number(self, what: str, plural: str) -> int:
        match = _NUMBER.match(self.text, self.at)
        if not match:
            raise self.refusal(f"the number of a {what} is missing", f"{plural} are numbers that count from 1: PID-3.1")
        if len(match[0]) > _DIGITS_MAX:
            raise self.refusal(f"no {what} has such a number", "write a number of at most four digits")
        if int(match[0]) == 0:
            raise self.refusal(f"{plural} count from 1", f"write {self.text[: self.at]}1{self.text[match.end() :]}")
        self.at = match.end()
        return int(match[0])

    def part(self, what: str, before: str) -> int:
        text = self.text
        if self.at >= len(text):
            return 0
        following = text[self.at]
        if following == ".":
            self.at += 1
            return self.number(what, f"{what}s")
        rest = text[self.at + 1 :]
        if following == "-":
            raise self.refusal(f"a point stands before a {what}", f"write {text[: self.at]}.{rest}")
        if following == "(":
            inside = rest.replace(")", "]", 1)
            raise self.refusal("which one stands between square brackets", f"write {text[: self.at]}[{inside}")
        if following == "[" and what == "subcomponent":
            closing = text.find("]", self.at)
            brackets, point = text[self.at : closing + 1 or None], text.rfind(".", 0, self.at)
            after = text[closing + 1 :] if closing >= 0 else ""
            raise self.refusal(
                "only fields repeat: brackets stand after the field",
                f"write {text[:point]}{brackets}{text[point : self.at]}{after}",
            )
        hint = f"end the path, or write {before}.1" if before else "end the path"
        raise self.refusal(f"{following!r} can't stand here", hint)

    def end(self) -> None:
        if self.at < len(self.text):
            following = self.text[self.at]
            if following == ".":
                raise self.refusal("nothing is below a subcomponent", f"write {self.text[: self.at]}")
            self.part("subcomponent", "")

    def selector(self, *, of_segments: bool) -> Selector | None:
        if not self.text.startswith("[", self.at):
            return None
        start = self.at
        closing = self._closing(start)
        inside = self.text[start + 1 : closing]
        self.at = start + 1
        selector = self._inside(inside.strip(), of_segments=of_segments)
        self.at = closing + 1
        return selector

    def _closing(self, start: int) -> int:
        quoted = False
        for index in range(start + 1, len(self.text)):
            character = self.text[index]
            if character == '"':
                quoted = not quoted
            elif character == "]" and not quoted:
                return index
        raise self.refusal("a bracket is not closed", f"write {self.text}]", start)

    def _inside(self, inside: str, *, of_segments: bool) -> Selector:
        if inside == "*":
            return Selector("all")
        if inside == "last":
            return Selector("last")
        if inside.isdecimal() and inside.isascii():
            plural = "segments" if of_segments else "repetitions"
            if len(inside) > _DIGITS_MAX + of_segments:
                raise self.refusal(f"no message has so many {plural}", "write a smaller number, or [last]")
            if int(inside) == 0:
                raise self.refusal(f"{plural} count from 1", "write [1]")
            return Selector("number", number=int(inside))
        if inside == "+":
            if of_segments:
                raise self.refusal("a path can't append a segment", "use the verb add, then write into it")
            return Selector("append")
        if inside.startswith("@"):
            return self._authorities(inside, of_segments=of_segments)
        test = _TEST.fullmatch(inside)
        if test:
            return self._test(test)
        raise self._refusal_inside(inside, of_segments=of_segments)

    def _authorities(self, inside: str, *, of_segments: bool) -> Selector:
        if of_segments:
            raise self.refusal("an authority selects a repetition", "write it after the field: PID-3[@ipp].1")
        names = tuple(name.strip().removeprefix("@") for name in inside[1:].split(","))
        for name in names:
            if not _NAME.fullmatch(name):
                raise self.refusal("an authority's name is expected after @", "write [@ipp], a name of `authorities:`")
        return Selector("authority", names=names)

    def _test(self, test: re.Match[str]) -> Selector:
        operator, tail = test[3], test[4]
        if tail.startswith(("=", "!=")):
            raise self.refusal("one = is enough in a path", f"write [{test[1]}={tail.lstrip('=! ')}]")
        if max(len(test[1]), len(test[2] or "")) > _DIGITS_MAX:
            raise self.refusal("no component has such a number", "write a number of at most four digits")
        part, subpart = int(test[1]), int(test[2] or 0)
        if part == 0 or (test[2] is not None and subpart == 0):
            raise self.refusal("components count from 1", "write [1=…]")
        if operator == "in":
            tail = tail.removeprefix("[").removesuffix("]")
            wanted = tuple(_unquoted(value) for value in tail.split(","))
        else:
            wanted = (_unquoted(tail),)
        if not all(wanted):
            raise self.refusal("a value to compare with is missing", f"write [{test[1]}=PI]")
        return Selector("test", part=part, subpart=subpart, wanted=wanted, negated=operator == "!=")

    def _refusal_inside(self, inside: str, *, of_segments: bool) -> PathError:
        if not inside:
            return self.refusal("nothing stands between the brackets", "write [*], [1], [last] or a test as [5=PI]")
        if inside in ("all", "any", "n"):
            return self.refusal("a star says all", "write [*]")
        if inside in ("first", "-1"):
            return self.refusal(f"{inside!r} isn't known here", "write [1]" if inside == "first" else "write [last]")
        if _NAME.fullmatch(inside):
            known = f"[5={inside}] for a type, [@{inside}] for an authority"
            if of_segments:
                known = f"[3={inside}] to compare field 3"
            return self.refusal("a test says what is compared", f"write {known}")
        more = "[3=2160-0]" if of_segments else "[+], [@ipp], [5=PI], [5 in PI,INS]"
        return self.refusal("this selects nothing", f"write one of [*], [1], [last], {more}")


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
