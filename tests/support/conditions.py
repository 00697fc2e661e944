"""What conditions of tests may name: a key, a list, a table, two sites."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from engine.errors import PathError
from engine.parsers.paths import Path
from engine.routes.suggestions import suggest
from engine.routes.when import Operand, WhenError


class Scope:
    def __init__(self):
        self.doubts = []

    def operand(self, path, column):
        try:
            compiled = Path.parse(path)
        except PathError as error:
            raise WhenError("E112", error.reason, column + error.column, error.hint) from None
        first = compiled.first if compiled.is_plain else None
        return Operand(lambda context: compiled.read(context.message, context.at), first)

    def zones(self):
        return {"": ZoneInfo("Europe/Paris"), "reu": ZoneInfo("Indian/Reunion")}

    def doubt(self, column, width, code, sentence, hint):
        self.doubts.append((column, width, hint))

    def possible(self, key):
        return ["cha", "chb"] if key == "site" else None

    def has_key(self, name):
        return name == "nda"

    def keys(self):
        return ["nda"]

    def patients(self):
        every = Path.parse("PID-3[*].1")
        return lambda context: every.read(context.message)

    def list_of(self, name, column):
        return frozenset({"A01", "A02"})

    def codes_of(self, name, column):
        return frozenset({"1010"})

    def suggest(self, text, allowed):
        return suggest(text, allowed)
