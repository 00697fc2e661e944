"""The list of verbs, by name."""

from __future__ import annotations

from typing import Final

from engine.transforms import (
    add,
    convert,
    copy,
    default,
    delete,
    drop,
    foreach,
    hl7_to_hprim,
    hprim_to_hl7,
    keep,
    localise_identity,
    map_,
    move,
    normalise_authorities,
    normalise_identity,
    parse,
    python,
    reject,
    render,
    require,
    set_,
    split,
    swap,
    tag,
    validate,
)
from engine.transforms.shapes import Verb

VERBS: Final[dict[str, Verb]] = {
    module.VERB.name: module.VERB
    for module in (
        set_, default, copy, move, swap, delete, keep, add, map_, convert, foreach, split, require,
        normalise_authorities, normalise_identity, localise_identity, parse, python, hprim_to_hl7, hl7_to_hprim,
        render, validate, tag, drop, reject,
    )
}  # fmt: skip
"""Every verb that a step may have; exactly one stands in a step."""
