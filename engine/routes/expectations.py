"""
What a test expects of one message: its ending, and what each destination gets.

    dpi: delivered | nothing            something, or nothing, is delivered there
    dpi: { PID-5.1: DOE, … }            paths in capitals are those of the delivered bytes; a list asks for all values
    dpi: [ { … }, { … } ]               one for each delivery of the message, in order
    that, unchanged, changed_only, topic, file_name, body, dead_letter       further words about a delivery
    split, order, lanes, waits_for      words about the destination's queue
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from engine.routes.cases import OUTCOMES, Claim, Copy, Expected, Outcome, Queue, Values
from engine.routes.configuration import Destination
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.routes.suggestions import suggest
from engine.transforms.nodes import Entries, Items, Node, Scalar, Word
from engine.transforms.shapes import (
    AnyText,
    Choice,
    Either,
    Key,
    ListOf,
    Number,
    Pairs,
    PathShape,
    Raw,
    Record,
    TextShape,
    Unreadable,
    refuse,
)

ENDED: Final = Either(
    TextShape(),
    Record(
        {
            "code": Key(TextShape(), about="Of a dead letter, a rejection: E-MAP-MISS, AE."),
            "field": Key(TextShape(), about="The field that it names: PV1-3.1"),
            "reason": Key(TextShape(), about="A part of its sentence."),
        }
    ),
)
"""How something ends: `yes`, a code or a reason, or what is said of it."""
QUEUE: Final[dict[str, Key]] = {
    "split": Key(Number(0, 65_536), about="How many deliveries the message has here."),
    "order": Key(ListOf(TextShape()), about="Names of all given messages that leave here, in their order."),
    "lanes": Key(Pairs(TextShape(), Number(0, 10_000)), about="In how many lanes messages wait: { a40: 2 }."),
    "waits_for": Key(
        Pairs(TextShape(), ListOf(TextShape(), single=True, least=0)),
        about="By message, those whose deliveries must have ended before; []: it waits for nobody.",
    ),
}
"""Words about the queue of a destination."""
COPY: Final[dict[str, Key]] = {
    "that": Key(ListOf(Raw(), single=True), about="Conditions that hold for what is delivered."),
    "unchanged": Key(ListOf(PathShape(), single=True), about="Paths or segments that are as they were received."),
    "changed_only": Key(
        ListOf(PathShape(), single=True, least=0),
        about="Paths beside which nothing differs; MSH-10 and MSH-18 are left aside.",
    ),
    "topic": Key(TextShape(), about="The topic of the publication."),
    "file_name": Key(TextShape(), about="The name of the file."),
    "body": Key(Either(TextShape(), Pairs(TextShape(), AnyText())), about="A text, or keys of a JSON object."),
    "dead_letter": Key(ENDED, about="This delivery is dead: a code, or { code, field, reason }."),
}
"""Words about one delivery, beside paths."""
_DESTINATION: Final = Record({**QUEUE, **COPY})
_WORDS: Final = ("site", "findings", "messages", *OUTCOMES)


class ExpectationReader:
    """Read what is expected of one message."""

    def __init__(
        self,
        plain: Reading,
        names: Names,
        destinations: Mapping[str, Destination],
        refused: Mapping[str, Collection[str]],
        variants: Sequence[str],
        given: Sequence[str],
    ) -> None:
        """
        Keep what expectations may name.

        Args:
            plain: Reads what needs no site.
            names: Lists, tables, sites.
            destinations: As declared.
            refused: By section, names whose own declaration was refused: nothing is said of these.
            variants: What the sources of the test can bring.
            given: The names of its messages.
        """
        self._plain = plain
        self._conditions = plain.with_variants(variants or [""])
        self._names = names
        self._destinations = destinations
        self._refused = refused
        self._variants = variants
        self._given = given

    def expected(self, node: Entries) -> Expected:
        """
        Read what stands under `expect:`, or under a name of `messages:`.

        Raises:
            Unreadable: It was reported.
        """
        outcome: Outcome | None = None
        queues: dict[str, Queue] = {}
        values: dict[str, Any] = {"site": None, "findings": ()}
        for key, child in node.entries:
            if key.text in OUTCOMES:
                if outcome is not None:
                    raise refuse(
                        self._plain, key, "E118", f"a message ends once: {outcome.kind} stands here too", "keep one"
                    )
                outcome = self._outcome(key.text, child)
            elif key.text == "site":
                sites = [*self._names.sites, *self._refused["sites"]]
                values["site"] = str(self._known(self._plain.word(child), sites, "site"))
            elif key.text == "findings":
                values["findings"] = tuple(map(str, ListOf(TextShape(), single=True).read(child, self._plain)))
            elif key.text in self._destinations:
                queues[key.text] = self._queue(child)
            elif key.text != "messages" and key.text not in self._refused["destinations"]:
                raise refuse(
                    self._plain, key, "E116", f"{key.text} is no destination and no ending",
                    suggest(key.text, [*self._destinations, *_WORDS]),
                )  # fmt: skip
        return Expected(outcome=outcome, queues=queues, mark=node.mark, **values)

    def _outcome(self, kind: str, node: Node) -> Outcome:
        """`yes`, a code (of dead letters and rejections) or a reason, or { code, field, reason }."""
        values = ENDED.read(node, self._plain)
        if isinstance(values, dict):
            texts = {name: str(text) for name, text in values.items() if text is not None}
            return Outcome(kind=kind, mark=node.mark, **texts)
        if values == "yes":
            return Outcome(kind=kind, mark=node.mark)
        is_code = kind in ("dead_letter", "rejected")
        return Outcome(kind=kind, mark=node.mark, **{"code" if is_code else "reason": str(values)})

    def _queue(self, node: Node) -> Queue:
        if isinstance(node, Scalar):
            Choice("nothing", "delivered").read(node, self._plain)
            if node.text == "nothing":
                return Queue(count=0, mark=node.mark)
            return Queue(copies=(Copy(mark=node.mark),), mark=node.mark)
        if isinstance(node, Items):
            return Queue(copies=tuple(self._copy(*self._split(item)) for item in node.items), mark=node.mark)
        paths, rest = self._split(node)
        values = _DESTINATION.read(rest, self._plain)
        asked = any(values[name] is not None for name in COPY)
        copies = (self._copy(paths, rest),) if paths or asked else None
        return Queue(
            copies=copies, count=values["split"], mark=node.mark,
            order=self._names_of(values["order"]) if values["order"] is not None else None,
            lanes={str(self._message(name)): number for name, number in values["lanes"] or ()},
            waits_for={str(self._message(name)): self._names_of(others) for name, others in values["waits_for"] or ()},
        )  # fmt: skip

    def _split(self, node: Node) -> tuple[list[tuple[Scalar, Node]], Entries]:
        """Part the paths (capitals) from the words."""
        if not isinstance(node, Entries):
            raise refuse(self._plain, node, "E106", "a delivery is a mapping", "write { PATH: value }")
        paths = [(key, child) for key, child in node.entries if key.text[:1].isupper()]
        return paths, Entries(node.mark, [entry for entry in node.entries if not entry[0].text[:1].isupper()])

    def _copy(self, paths: list[tuple[Scalar, Node]], rest: Entries) -> Copy:
        for key, _ in rest.entries:
            if key.text not in COPY and key.text not in QUEUE:
                Record(COPY).read(rest, self._plain)  # reports it
                raise Unreadable
        known = Entries(rest.mark, [(key, child) for key, child in rest.entries if key.text in COPY])
        values = Record(COPY).read(known, self._plain)
        body = values["body"]
        ended = rest.get("dead_letter")
        return Copy(
            values=tuple(self._values(key, child) for key, child in paths),
            claims=tuple(self._claim(one) for one in values["that"] or ()),
            unchanged=tuple((path, rest.mark) for path in values["unchanged"] or ()),
            changed_only=tuple(values["changed_only"]) if values["changed_only"] is not None else None,
            topic=_text(values["topic"]), file_name=_text(values["file_name"]),
            body=str(body) if isinstance(body, str) else None,
            json={str(name): str(text) for name, text in body} if isinstance(body, list) else None,
            dead_letter=self._outcome("dead_letter", ended) if ended is not None else None,
            mark=rest.mark,
        )  # fmt: skip

    def _values(self, key: Scalar, node: Node) -> Values:
        by_variant = self._conditions.paths_of(key, self._variants)
        if any(not path.field for path in by_variant.values()):
            raise refuse(self._plain, key, "E112", f"{key.text} names a segment, not a value", f"write {key.text}-1")
        words = ListOf(AnyText(), single=True).read(node, self._plain)
        wanted = tuple(str(word) for word in words)
        return Values(path=key.text, by_variant=by_variant, wanted=() if wanted == ("",) else wanted, mark=key.mark)

    def _claim(self, node: Node) -> Claim:
        text = node.text if isinstance(node, Scalar) else ""
        return Claim(text=text, holds=self._conditions.condition(node), mark=node.mark)

    def _message(self, word: Word) -> Word:
        return self._known(word, self._given, "given message")

    def _names_of(self, words: Sequence[Word]) -> tuple[str, ...]:
        return tuple(str(self._message(word)) for word in words)

    def _known(self, word: Word, known: Iterable[str], kind: str) -> Word:
        if word not in known:
            raise refuse(self._plain, word.node, "E116", f"there is no {kind} {word}", suggest(word, known))
        return word


def _text(word: Word | None) -> str | None:
    return None if word is None else str(word)
