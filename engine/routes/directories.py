"""Folders as sources: what their keys become, and what a message of theirs names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from engine.conversion.documents import FILES_OF_HPRIM, AttachedFile, attached_files
from engine.errors import ParseError
from engine.parsers.ending import lacks_end
from engine.parsers.hl7v2.message import Message
from engine.parsers.opening import open_message
from engine.parsers.paths import Path
from engine.routes.configuration import AnswerFiles, AttachedFiles, Source, UnfinishedRule
from engine.routes.reading import Reading
from engine.transforms.nodes import Entries

FILES_MAX: Final = 50
"""Files of one message that are looked for."""

_KEYS: Final = tuple(Path.parse(text) for text in ("P[*]-2.1", "P[*]-2.2", "P[*]-3.1", "PID[*]-3[*].1", "MRG[*]-1.1"))


class Named(NamedTuple):
    """What the bytes of a message name."""

    files: tuple[AttachedFile, ...]
    keys: frozenset[bytes]
    """Of whom it speaks: while it waits for a file, no younger message with one of these passes it."""


NamedBy = Callable[[bytes], Named]


class Ending(NamedTuple):
    """What a folder asks of bytes that may have been written by half."""

    lacks: Callable[[bytes], str]
    """What they lack at their end (parsers.ending); empty: nothing."""
    keys: Callable[[bytes], frozenset[bytes]]
    """Of whom they speak, as Named.keys."""


def directory_source(values: dict[str, Any], node: Entries, reading: Reading) -> dict[str, Any]:
    """
    Return the fields of Source that a folder has.

    Args:
        values: As schema.SOURCES read them.
        node: Where findings are reported.
        reading: Reads paths.

    Raises:
        Unreadable: It was reported.
    """
    after = values["after"] or {"move_to": "done/%Y-%m"}
    files, answers = values["attachments"], values["answer_files"]
    if files is not None and values["pattern"] == "*":
        reading.error(
            node.key("pattern") or node.key("attachments") or node, "E118",
            "every file is a message here, also those that messages name", 'write which are: pattern: "*.hpr"',
        )  # fmt: skip
    return {
        "path": str(values["path"]), "pattern": str(values["pattern"]), "settle": values["settle"],
        "companion": str(values["companion"]), "poll": values["poll"], "move_to": str(after["move_to"]).rstrip("/"),
        "attachments": None if files is None else _attached_files(files, reading),
        "unfinished": UnfinishedRule(**(values["unfinished"] or {})),
        "answer_files": None if answers is None else AnswerFiles(**{key: str(text) for key, text in answers.items()}),
    }  # fmt: skip


def at_root(source: Source, root: str, digest: str) -> Source:
    """Return a source that knows from where its relative paths start, and the digest of its declaration."""
    answers = source.answer_files
    return replace(
        source, root=root, digest=digest, answer_files=None if answers is None else replace(answers, root=root)
    )


def _attached_files(values: dict[str, Any], reading: Reading) -> AttachedFiles:
    path = FILES_OF_HPRIM if values["from"] is None else reading.path(values["from"])
    return AttachedFiles(path=path, wait=values["wait"], max_size=values["max"], on_missing=str(values["on_missing"]))


def named_by(source: Source) -> NamedBy | None:
    """Return what says which files a message of a source names; None where the source takes none."""
    rule = source.attachments
    if rule is None:
        return None
    charset = source.charset or "cp1252"

    def name(raw: bytes) -> Named:
        try:
            message = open_message(raw, source.format, default_charset=charset)
        except ParseError:
            return Named((), frozenset())  # it is refused, or dies, without waiting for anything
        return Named(tuple(attached_files(message, rule.path)[:FILES_MAX]), _keys_of(message))

    return name


def ending_of(source: Source) -> Ending:
    """Return what says whether a file of a source is whole."""
    charset = source.charset or "cp1252"

    def keys(raw: bytes) -> frozenset[bytes]:
        try:
            return _keys_of(open_message(raw, source.format, default_charset=charset))
        except ParseError:
            return frozenset()

    return Ending(lambda raw: lacks_end(raw, source.format), keys)


def _keys_of(message: Message) -> frozenset[bytes]:
    return frozenset(value for path in _KEYS for value in path.read_bytes(message))
