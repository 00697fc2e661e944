"""What the store can't say itself: that it is silent, and that its disk is full."""

from __future__ import annotations

from engine.daemon.listening import Listening


class Store:
    silent = ""
    short = ""

    def silence(self, least_seconds: float = 0.0) -> str:
        return self.silent

    def shortage(self) -> str:
        return self.short


class Clock:
    """The timer of a runtime, turned by hand."""

    def call_later(self, _delay: float, look: object) -> Clock:
        self.look = look
        return self

    def cancel(self) -> None: ...


def test_each_trouble_is_told_at_its_start_and_at_its_end() -> None:
    """Once, however often one looks, and apart from the other."""
    told: list[tuple[str, str]] = []
    store, clock = Store(), Clock()
    listening = Listening(
        store.silence,
        store.shortage,
        clock,
        lambda code, _, sentence: told.append((code, sentence)),  # type: ignore[arg-type]
    )
    listening.start()
    for silent, short in (("", ""), ("", "full"), ("hangs", "full, still"), ("", "full"), ("", ""), ("", "")):
        store.silent, store.short = silent, short
        clock.look()  # type: ignore[operator]
    assert [code for code, _ in told] == ["E-DISK-FULL", "E-STORE-SILENT", "E-STORE-BACK", "E-DISK-ROOM"]
    assert told[0][1] == "full"
    listening.stop()
