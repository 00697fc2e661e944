"""
`validate: { profile, on_error: flag | dead_letter, warnings: flag }`: compare the message with a profile.

A profile is one that comes along (`pam-fr-2.11`, `hl7-2.x`…) or a file beside routes.yaml: YAML on top of one, or a
conformance profile in XML. It is compiled when the configuration loads, once for all steps that name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from engine.errors import ProfileRefused, StepFailed
from engine.transforms.nodes import Mark, Node, Word
from engine.transforms.shapes import Choice, Key, Reader, Record, TextShape, Verb, refuse
from engine.transforms.step import Context, Step
from engine.validation.findings import ERROR, Finding

if TYPE_CHECKING:
    from engine.validation.validator import Validator

FLAGS_MAX: Final = 10
"""Findings of one message that are noted one by one; the others are counted."""
_RANK: Final = re.compile(r"\[\d+\]")
_FAULT: Final = re.compile(r"(?P<file>.*?):(?P<line>\d+): (?P<sentence>.*)", re.DOTALL)


class Validate(Step):
    """Compare the message with a profile."""

    __slots__ = ("_dead_letter", "_validator", "_warnings")

    def __init__(self, validator: Validator, *, dead_letter: bool, warnings: bool) -> None:
        super().__init__("validate")
        self._validator = validator
        self._dead_letter = dead_letter
        self._warnings = warnings

    def apply(self, context: Context) -> None:
        """
        Compare.

        Raises:
            StepFailed: E-VALIDATE, with `on_error: dead_letter`, for the first error; for a message that isn't
                HL7 v2 whatever stands there.
        """
        if context.format != "hl7v2":
            raise StepFailed(
                "E-VALIDATE", f"profiles are for HL7 v2, this is {context.format}: add a when: format == hl7v2"
            )
        errors: list[Finding] = []
        warnings: list[Finding] = []
        for finding in self._validator.check(context.message):
            (errors if finding.severity == ERROR else warnings).append(finding)
        if errors and self._dead_letter:
            first, count = errors[0], len(errors)
            more = f", and {count - 1} more" if count > 1 else ""
            raise StepFailed(
                "E-VALIDATE", f"{self._validator.profile.name}: {first.sentence}{more}", field=_place(first)
            )
        context.findings += _flags("invalid", errors)
        if self._warnings:
            context.findings += _flags("doubtful", warnings)


def _flags(word: str, findings: Iterable[Finding]) -> list[str]:
    """Note findings by rule and place, each once, whatever its rank: they are counted over messages."""
    noted = list(dict.fromkeys(f"{word} {finding.rule} {_place(finding)}".rstrip() for finding in findings))
    if len(noted) <= FLAGS_MAX:
        return noted
    return [*noted[:FLAGS_MAX], f"{word} {len(noted) - FLAGS_MAX} more"]


def _place(finding: Finding) -> str:
    return _RANK.sub("", finding.path)


@lru_cache(maxsize=32)
def _opened(name: str, text: str) -> Validator:
    """Compile a file's profile, once for all sites and steps that name it."""
    from engine.validation.opening import open_profile  # only where a profile is named
    from engine.validation.validator import Validator

    validator = Validator(open_profile(name, text.encode(), file=name))
    validator.prepare()
    return validator


@lru_cache(maxsize=32)
def _known(name: str) -> Validator | None:
    from engine.validation.shipped import shipped  # only where a profile is named
    from engine.validation.validator import Validator

    profile = shipped(name)
    if profile is None:
        return None
    validator = Validator(profile)
    validator.prepare()
    return validator


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step; every fault of a profile is reported at its line."""
    validator = _validator(arguments["profile"], reader)
    dead_letter, warnings = arguments["on_error"] == "dead_letter", arguments["warnings"] == "flag"
    return Validate(validator, dead_letter=dead_letter, warnings=warnings)


def _validator(word: Word, reader: Reader) -> Validator:
    known = _known(str(word))
    if known is not None:
        return known
    from engine.validation.shipped import shipped_names

    if not word.lower().endswith((".yaml", ".yml", ".xml")):
        hint = f"{reader.suggest(word, shipped_names())}; or write a file, profiles/ours.yaml"
        raise refuse(reader, word.node, "E153", f"there is no profile {word}", hint)
    file, text = reader.file(word.node)
    try:
        return _opened(file, text)
    except ProfileRefused as refused:
        for fault in refused.faults:
            found = _FAULT.match(fault)
            mark = Mark(file, int(found["line"]), 1) if found is not None else Mark(file, 1, 1)
            reader.error(mark, "E153", found["sentence"] if found is not None else fault)
        raise refuse(reader, word.node, "E153", f"the profile {word} has faults", f"see {file}") from None


_SHAPE = Record(
    {
        "profile": Key(
            TextShape(), required=True, about="pam-fr-2.11, hl7-2.x, hl7-2.5, or a file of your own beside routes.yaml."
        ),
        "on_error": Key(
            Choice("flag", "dead_letter"),
            required=True,
            missing="a message may not be as the profile wants it|add on_error: flag | dead_letter",
            about="Leave findings and go on, or a dead letter at the first error.",
        ),
        "warnings": Key(Choice("ignore", "flag"), default="ignore", about="Leave findings for warnings too, or not."),
    }
)
VERB = Verb("validate", _SHAPE, build, "compare the message with a profile: PAM France, HL7, your own")
