"""`require: { all: [ { when, else: "sentence, {event} allowed" } ] }`: stop the route where a condition fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import StepFailed
from engine.transforms.nodes import Node
from engine.transforms.shapes import ConditionShape, Key, ListOf, Reader, Record, TemplateShape, Verb
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.transforms.text import Text


class Require(Step):
    """Stop where a condition doesn't hold, with its sentence (which can hold no value of the message)."""

    __slots__ = ("_rules",)

    def __init__(self, rules: list[tuple[Callable[[Context], bool], Text]]) -> None:
        super().__init__("require")
        self._rules = rules

    def apply(self, context: Context) -> None:
        """Ask each condition, in order."""
        for holds, sentence in self._rules:
            if not holds(context):
                raise StepFailed("E-REQUIRE", sentence.render(context))


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Require([(rule["when"], rule["else"]) for rule in arguments["all"]])


_RULE = Record(
    {
        "when": Key(ConditionShape(), required=True, about="The condition."),
        "else": Key(
            TemplateShape(paths=False), required=True, about="Sentence of the dead letter; no path: {event}, {site}.",
            missing='require stops the route: the operator reads why|add else: "a sentence; {event}, {site} allowed, '
                    'no path"',
        ),
    }
)  # fmt: skip
VERB = Verb(
    "require",
    Record(
        {
            "all": Key(
                ListOf(_RULE),
                required=True,
                about="Conditions that must hold, each with what is said when it does not.",
            )
        }
    ),
    build,
    "stop unless conditions hold",
)
