"""The list of verbs, by name."""

from __future__ import annotations

from typing import Final

from engine.transforms import (
    add,
    copy,
    default,
    delete,
    drop,
    foreach,
    map_,
    normalise_authorities,
    reject,
    render,
    require,
    set_,
    tag,
)
from engine.transforms.shapes import Verb

VERBS: Final[dict[str, Verb]] = {
    module.VERB.name: module.VERB
    for module in (
        set_, default, copy, delete, add, map_, foreach, require, normalise_authorities, render, tag, drop,
        reject,
    )
}  # fmt: skip
"""Every verb that a step may have; exactly one stands in a step."""
