"""Formats that don't fit: HPRIM that no source reads, and HPRIM that goes as it is to who speaks HL7 (W212)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.routes.configuration import Destination, Exit, Source
from engine.routes.reading import Reading
from engine.transforms.nodes import Node
from engine.transforms.step import Conditional, Step

_FROM_HPRIM: Final = "hprim_to_hl7"
_HPRIM: Final = ("hprim-sante", "hprim-medecin")
_OTHERWISE: Final = frozenset({_FROM_HPRIM, "render", "python"})
"""Verbs after which the message isn't the HPRIM that came."""


def check_formats(
    sources: Sequence[Source],
    steps: Sequence[Step],
    exits: Iterable[tuple[Exit, Node]],
    destinations: Mapping[str, Destination],
    reading: Reading,
) -> None:
    """
    Warn of a route whose sources all bring another format than its steps or destinations want.

    Args:
        sources: Those of the route; what brings several formats may be told apart by conditions, and isn't looked at.
        steps: The route's steps, for all sites.
        exits: The entries of `to:`, each with where it stands.
        destinations: All that are declared.
        reading: Gets the warnings.
    """
    formats = {source.format for source in sources}
    if formats == {"hl7v2"}:
        _check_conversion(sources[0].name, steps, reading)
    if not formats or not formats.issubset(_HPRIM) or _OTHERWISE & _verbs(steps):
        return
    for exit_, node in exits:
        if destinations[exit_.destination].type == "mllp" and not _OTHERWISE & _verbs(_steps_of(exit_)):
            sentence = f"{exit_.destination} gets HPRIM by MLLP, as {sources[0].name} brings it"
            reading.warn(node, "W212", sentence, f"add the step {_FROM_HPRIM}, before those that read HL7")


def _check_conversion(source: str, steps: Sequence[Step], reading: Reading) -> None:
    """Warn of a conversion that nothing comes to; with a condition it may be one of a run that other routes use."""
    for step in steps:
        if step.verb == _FROM_HPRIM and step.mark is not None and not isinstance(step, Conditional):
            sentence = f"{source} reads HL7: no HPRIM comes to {_FROM_HPRIM}"
            reading.warn(step.mark, "W212", sentence, f"add format: hprim-sante to the source {source}")


def _steps_of(exit_: Exit) -> list[Step]:
    return [step for run in exit_.steps.values() for step in run]


def _verbs(steps: Iterable[Step]) -> set[str]:
    """Return the verbs of steps, those inside others too."""
    found: set[str] = set()

    def look(step: Step) -> Step:
        found.add(step.verb)
        return step

    for step in steps:
        step.wrapped(look)
    return found
