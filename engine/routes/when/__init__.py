"""
The language of `when:`: total, no assignment, no calls out, no I/O; compiled once to closures.

    when.lark     the grammar
    grammar       a text to a tree, or a sentence that says what is wrong and where
    compiling     a tree to closures, for the walk, and to parts, for `passerelle explain`
    comparing     numbers, dates and ages

A path reads 0..n values, erasing `""` not counted. A comparison is true when any value satisfies it; `all` in
front asks that there are values and all satisfy it; `!=` is *none equals*. `is empty` (absent), `is null` (the
two characters `""`) and `exists` (a value that isn't null) are three things.
"""

from engine.routes.when.compiling import CONTEXT_KEYS, PATIENT, WORDS, Clause, Operand, Scope, compile_when
from engine.routes.when.grammar import WhenError

__all__ = ["CONTEXT_KEYS", "PATIENT", "WORDS", "Clause", "Operand", "Scope", "WhenError", "compile_when"]
