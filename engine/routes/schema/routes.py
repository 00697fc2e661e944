"""What `routes:` takes."""

from __future__ import annotations

from typing import Final

from engine.routes.schema.doors import DEAD_LETTER_KEY, ORDER_KEY
from engine.transforms.shapes import (
    Choice,
    ConditionShape,
    Either,
    Key,
    ListOf,
    NameShape,
    Raw,
    Record,
    StepsShape,
    TextShape,
)

_EXIT: Final = Record(
    {
        "destination": Key(TextShape(), required=True, about="Name of a destination."),
        "when": Key(
            Raw(ConditionShape()), about="Only messages for which this holds, asked after the steps of the route."
        ),
        "steps": Key(Raw(StepsShape()), about="Steps for this destination alone, after those of the route."),
        "order_by": ORDER_KEY,
        "dead_letter": DEAD_LETTER_KEY,
    }
)
ROUTE: Final = Record(
    {
        "from": Key(ListOf(TextShape(), single=True), required=True, about="Sources whose messages it takes."),
        "owner": Key(TextShape(), default="", about="Informative: who answers for this route; shown by docs."),
        "when": Key(
            Raw(ConditionShape()),
            about="Which of their messages: type == ADT and event in [A01, A02]. Unless said, all.",
        ),
        "on_no_match": Key(
            Choice("unrouted", "filter", "dead_letter"),
            default="unrouted",
            about="A message that no route wants: unrouted (counted, seen), filtered (expected), or a dead letter.",
        ),
        "steps": Key(Raw(StepsShape()), about="What is done to the message, in this order."),
        "to": Key(
            ListOf(Either(TextShape(), _EXIT), single=True),
            required=True,
            about="Where it goes: names, or { destination, when, steps, order_by, dead_letter }.",
        ),
        "order_by": ORDER_KEY,
        "dead_letter": DEAD_LETTER_KEY,
        "tests": Key(Raw(), about="What must become of which messages: `passerelle test` says whether it does."),
        "renamed_from": Key(
            NameShape(),
            default="",
            about="Its former name, when it was renamed: history and metrics hang on the name.",
        ),
    }
)
