"""
Doors that are in one another's way: two sources at one address or in one folder, and what is sent that comes back.

Two sources of one folder would both take each of its files, one of them as a patient of another hospital. What a
destination sends to a source of the same configuration, whose messages it gets, goes round for ever.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from engine.routes.configuration import Destination, Route, Source
from engine.routes.declarations import Named
from engine.routes.reading import Reading
from engine.transforms.nodes import Entries, Node

_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened at
"""Every address of a family, and where who connects to it arrives."""
_SOME: Final = re.compile(r"\{[^{}]*\}")
_STAR: Final = "*"
_PIECE: Final = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
"""One character of a pattern, or several that may stand in its place."""
_LETTERS: Final = "".join(map(chr, range(0x20, 0x180)))
"""What is tried to see whether two characters of patterns can be the same one."""


def check_doors(
    made: Mapping[str, Named],
    sources: Mapping[str, Source],
    destinations: Mapping[str, Destination],
    routes: Sequence[Route],
    root: str,
    reading: Reading,
) -> None:
    """
    Refuse doors that are in one another's way (E119).

    Args:
        made: The entries of `sources` and `destinations`, templates and defaults in their places.
        sources: Those that could be read.
        destinations: Those that could be read.
        routes: Those that could be read: they say which destinations get what comes in at a source.
        root: Where relative folders start.
        reading: Gets what is wrong.
    """
    nodes = {section: {key.text: node for key, node in made[section]} for section in ("sources", "destinations")}
    _Doors(nodes["sources"], sources, root, reading).check()
    _Loops(nodes["destinations"], sources, destinations, routes, root, reading).check()


class _Doors:
    """Sources, beside one another."""

    def __init__(self, nodes: Mapping[str, Node], sources: Mapping[str, Source], root: str, reading: Reading) -> None:
        self._nodes = nodes
        self._sources = list(sources.values())
        self._root = root
        self._reading = reading

    def check(self) -> None:
        """Compare each with those above it."""
        for rank, source in enumerate(self._sources):
            node = self._nodes[source.name]
            for other in self._sources[:rank]:
                if _listen_together(source, other):
                    sentence = f"{other.name} listens there already"
                    self._reading.error(_at(node, "listen"), "E119", sentence, "choose another port")
                    break
                if self._watch_together(source, other):
                    self._reading.error(
                        _at(node, "path"), "E119", f"{other.name} takes the files of this folder already",
                        "give each source its own folder, or patterns that no file name fits both of",
                    )  # fmt: skip
                    break
            self._check_answers(source, node)

    def _watch_together(self, one: Source, other: Source) -> bool:
        if "directory" not in (one.type, other.type) or one.type != other.type:
            return False
        return _folder(self._root, one.path) == _folder(self._root, other.path) and overlap(one.pattern, other.pattern)

    def _check_answers(self, source: Source, node: Node) -> None:
        """Refuse answers that are written where a source takes them as messages."""
        wanted = source.answer_files
        if wanted is None:
            return
        for other in self._sources:
            if (
                other.type == "directory"
                and _folder(self._root, wanted.path) == _folder(self._root, other.path)
                and overlap("*" + wanted.extension, other.pattern)
            ):
                self._reading.error(
                    _at(node, "answer_files", "path"), "E119", f"{other.name} would take these answers as messages",
                    "write them into a folder that no source watches",
                )  # fmt: skip
                break


class _Loops:
    """What a destination sends, and where it comes in again."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        sources: Mapping[str, Source],
        destinations: Mapping[str, Destination],
        routes: Sequence[Route],
        root: str,
        reading: Reading,
    ) -> None:
        self._nodes = nodes
        self._reading = reading
        self._entrances = {
            name: [source.name for source in sources.values() if _arrives(one, source, root)]
            for name, one in destinations.items()
        }
        self._reached: dict[str, set[str]] = {name: set() for name in sources}
        """By source: destinations that its messages go to."""
        for route in routes:
            for name in route.sources:
                self._reached[name].update((one.destination for one in route.to), route.elsewhere)

    def check(self) -> None:
        """Refuse each destination whose messages come back to it."""
        for name, entrances in self._entrances.items():
            for source in entrances:
                if name in self._all_from(source):
                    self._reading.error(
                        _at(self._nodes[name], "connect", "path"), "E119",
                        f"what {name} sends comes in at {source}, and goes round from there to {name} again",
                        f"say where the receiver is: this is the door of {source}",
                    )  # fmt: skip
                    break

    def _all_from(self, source: str) -> set[str]:
        """Return all destinations that a message of a source comes to, by way of other sources too."""
        found: set[str] = set()
        open_ = [source]
        seen = {source}
        while open_:
            new = self._reached[open_.pop()] - found
            found |= new
            behind = {entrance for name in new for entrance in self._entrances.get(name, ())} - seen
            seen |= behind
            open_ += behind
        return found


def _at(node: Node, *keys: str) -> Node:
    """Return the value under the first key that is there, then under the next one in it; else the node."""
    for key in keys:
        inner = node.get(key) if isinstance(node, Entries) else None
        node = inner or node
    return node


def _folder(root: str, path: str) -> pathlib.Path:
    return pathlib.Path(root, path).resolve()


def _arrives(destination: Destination, source: Source, root: str) -> bool:
    """Whether what a destination sends comes in at a source."""
    if destination.type == source.type == "mllp":
        return destination.port == source.port and _leads_to(destination.host, source.host)
    if destination.type == source.type == "directory":
        written = _SOME.sub("*", destination.file_name.replace("[", "[[]"))
        return _folder(root, destination.path) == _folder(root, source.path) and overlap(written, source.pattern)
    return False


# --- addresses -----------------------------------------------------------------------------------------------


def _listen_together(one: Source, other: Source) -> bool:
    """Whether the system would refuse the second of two listeners."""
    if one.port != other.port or not one.port:
        return False
    if _addresses(one.host) & _addresses(other.host):
        return True
    return any(wild in _WILDCARDS and _families(wild) & _families(host)
               for wild, host in ((one.host, other.host), (other.host, one.host)))  # fmt: skip


def _leads_to(connected: str, listened: str) -> bool:
    """Whether who connects to a host, as far as its name tells, reaches who listens at another one."""
    reached = _addresses(_WILDCARDS.get(connected, connected))
    if reached & _addresses(listened):
        return True
    return any(_is_loopback(each) and _families(each) & _families(listened) for each in reached) and (
        listened in _WILDCARDS
    )


def _addresses(host: str) -> set[str]:
    return {"127.0.0.1", "::1"} if host.lower() == "localhost" else {host.lower()}


def _is_loopback(address: str) -> bool:
    return address == "::1" or address.startswith("127.")


def _families(host: str) -> set[int]:
    """Return 4, 6, or both for a name."""
    if ":" in host:
        return {6}
    return {4} if re.fullmatch(r"[0-9.]+", host) else {4, 6}


# --- patterns of names ---------------------------------------------------------------------------------------


def overlap(one: str, other: str) -> bool:
    """
    Tell whether some file name fits both of two patterns (fnmatch, in any case).

    Args:
        one: A pattern.
        other: Another one.
    """
    return _overlap(_PIECE.findall(one.lower()), _PIECE.findall(other.lower()))


def _overlap(one: list[str], other: list[str]) -> bool:
    """Walk both at once: which places of the second are reached with each piece of the first."""
    reached = _past_stars({0}, other)
    for piece in one:
        if piece == _STAR:
            reached = set(range(min(reached), len(other) + 1)) if reached else reached
            continue
        met = [place for place in reached if place < len(other) and _meet(piece, other[place])]
        reached = _past_stars({place + (other[place] != _STAR) for place in met}, other)
    return len(other) in reached


def _past_stars(places: set[int], pieces: list[str]) -> set[int]:
    """Add to each place those behind the stars that begin there: a star may stand for nothing."""
    found = set(places)
    for place in places:
        at = place
        while at < len(pieces) and pieces[at] == _STAR:
            at += 1
            found.add(at)
    return found


def _meet(one: str, other: str) -> bool:
    """Whether one character fits both pieces; the second may be a star."""
    if other == _STAR or "?" in (one, other):
        return True
    if len(one) == 1 and len(other) == 1:
        return one == other
    return any(fnmatchcase(each, one) and fnmatchcase(each, other) for each in _LETTERS)
