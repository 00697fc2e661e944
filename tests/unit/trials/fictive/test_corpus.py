"""Real messages: nothing of their patients is left, everything else is."""

from __future__ import annotations

from engine.errors import ParseError
from engine.parsers import header_of, open_message
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.trials.fictive import made_fictive
from engine.trials.fictive.guises import words_of
from tests.unit.trials.fictive.conftest import REFERENCES, stored

NAMES = [Path.parse(text) for text in ("PID-3[*].1", "PID-5[*].1", "PID-5[*].2", "MRG-1[*].1", "PID-18.1", "PID-19")]


def structure(message: Message) -> list[object]:
    marks = message.delimiters
    signs = [mark for mark in (marks.repetition, marks.component, marks.subcomponent) if mark]
    return [
        (one.name, [[one.field(number).count(sign) for sign in signs] for number in range(3, one.count + 1)])
        for one in message.segments()
    ]


def test_messages_of_the_corpus(corpus):
    """Each keeps its structure; no number and no name of its patient stands anywhere in it."""
    seen = 0
    for path in sorted(corpus.rglob("*")):
        if not path.is_file() or path.suffix in (".tsv", ".md") or path.stat().st_size > 300_000:
            continue
        raw = path.read_bytes()
        try:
            if header_of(raw).format != "hl7v2":
                continue
            (made,) = made_fictive([stored(raw)], REFERENCES)
        except ParseError:
            continue
        before, after = open_message(raw, as_utf8=False), open_message(made, as_utf8=False)
        assert structure(before) == structure(after), path
        assert b"1.2.250.1.213.1.4.8" not in made, path
        words = {word for name in NAMES for value in name.read(before) for word in words_of(value)}
        replaced = {word for name in NAMES for value in name.read(after) for word in words_of(value)}
        left = words & {
            word
            for one in after.segments()
            for number in range(1, one.count + 1)
            for word in words_of(one.field(number).decode(after.codec, "replace"))
            if not set(word) <= set("X9")
        }
        assert left <= replaced, (path, left - replaced)
        assert not {word for word in left if word.isdecimal()}, path
        seen += 1
    assert seen > 500
