"""
Messages with the files that they name: read together, when all are there or the wait is over.

A file that a message names is complete when it rested as long as a message must. While a message waits, the
younger ones about the same patient wait behind it, and nobody else does. Runs in the source's own thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.core.messages import Attachment
from engine.core.references import digest_of
from engine.routes.configuration import AttachedFiles
from engine.routes.directories import Named, NamedBy
from engine.transports.directory.attachments import Attached, look_for
from engine.transports.directory.folder import Folder, Found, Reading
from engine.transports.directory.keptback import READ_BYTES_MAX, KeptBack, Known


@dataclass(slots=True)
class _Waiting(Known):
    """A message whose files were looked for."""

    named: Named
    rested: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    """By name of a file: size, time, and since when they are these."""


class AttachedReader:
    """
    Reads the messages of one folder with their files.

    Args:
        folder: Where messages lie, and their files below.
        rule: How long to wait, how much to take.
        settle: How long a file must rest, seconds.
        named_by: Says what the bytes of a message name.
    """

    def __init__(self, folder: Folder, rule: AttachedFiles, settle: float, named_by: NamedBy) -> None:
        self._folder = folder
        self._rule = rule
        self._settle = settle
        self._named_by = named_by
        self._kept: KeptBack[_Waiting] = KeptBack()
        self.begin = self._kept.begin

    @property
    def waiting(self) -> int:
        """Messages that wait for a file, or behind one that does."""
        return self._kept.count

    def read(self, batch: Sequence[Found], now: float) -> list[Reading]:
        """
        Read those messages of a batch whose files are here, or whose wait is over.

        Args:
            batch: Complete messages, oldest first.
            now: Seconds that never go back.

        Returns:
            Their readings, with attachments; the others are passed over until the next look.
        """
        looked = [(found, *self._know(found, now)) for found in batch]
        readings: list[Reading] = []
        size = 0
        for found, known, reading in looked:
            if size > READ_BYTES_MAX:
                break
            if known is not None:
                reading = self._read(found, known, reading, now)
            if reading is not None:
                readings.append(reading)
                size += reading.size
        return readings

    def _know(self, found: Found, now: float) -> tuple[_Waiting | None, Reading | None]:
        """Return what a message names, and its reading where that wasn't known yet; None: it can't be read."""
        known = self._kept.unchanged(found)
        if known is not None:
            return known, None
        (reading,) = self._folder.read([found])
        if reading.code:
            return None, reading
        known = _Waiting(found.size, found.mtime_ns, now, self._named_by(reading.raw))
        self._kept.files[found.name] = known
        return known, reading

    def _read(self, found: Found, known: _Waiting, reading: Reading | None, now: float) -> Reading | None:
        due = [self._is_due(file.path, found, known, now) for file in known.named.files]  # each begins to rest
        if known.named.keys & self._kept.keys or not all(due):
            self._kept.hold(known.named.keys)
            return None
        if reading is None:
            (reading,) = self._folder.read([found])
        if not reading.code:
            self._bring(reading, known.named)
        return reading

    def _is_due(self, name: str, found: Found, known: _Waiting, now: float) -> bool:
        """Tell whether a file needs no more waiting: it is here and complete, or can't come, or didn't come."""
        if now - known.since >= self._rule.wait:
            return True
        look = self._look(name, read=False)
        if look.state != "here":
            return look.state == "refused"
        rested = known.rested.get(name)
        if rested is None or rested[:2] != (look.size, look.mtime_ns):
            rested = known.rested[name] = (look.size, look.mtime_ns, now)
        return found.vouched or now - rested[2] >= self._settle

    def _bring(self, reading: Reading, named: Named) -> None:
        brought: list[Attachment] = []
        also: list[str] = []
        others = {
            file.path
            for name, one in self._kept.files.items()
            if name != reading.found.name
            for file in one.named.files
        }
        for file in named.files:
            look = self._look(file.path, read=True)
            if look.state != "here":
                brought.append(Attachment(file.path, file.kind, None))
                continue
            brought.append(Attachment(file.path, file.kind, look.data, digest_of(look.data)))
            if file.path not in others:
                also.append(look.path)
        reading.attachments, reading.also = tuple(brought), tuple(also)

    def _look(self, name: str, *, read: bool) -> Attached:
        return look_for(self._folder.path, name, self._rule.max_size, read=read)
