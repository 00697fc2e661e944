"""
Declared shapes of arguments: one description parses, names what is wrong, and feeds the editor's schema.

A shape reads a node through a `Reader` (the loader), which knows `${…}`, paths, conditions and names. It
reports to the reader and raises `Unreadable`; lists and mappings go on with what follows, so that all
findings come at once.

    reading        Shape and Reader
    scalars        texts, names, choices, numbers
    durations      how long
    naming         paths, texts with values, conditions, tables, steps
    collections    lists, mappings, records
    verbs          a verb, as the modules of verbs declare it
"""

from engine.transforms.shapes.collections import Either, Key, ListOf, Pairs, Raw, Record, Reserved, described
from engine.transforms.shapes.durations import Duration
from engine.transforms.shapes.naming import ConditionShape, PathShape, StepsShape, TableShape, TemplateShape
from engine.transforms.shapes.reading import REFERENCE, Reader, Shape, Unreadable, meant, refuse, scalar, shown
from engine.transforms.shapes.scalars import NAME_FORM, AnyText, Choice, NameShape, Number, TextShape
from engine.transforms.shapes.verbs import Verb, exactly_one

__all__ = [
    "NAME_FORM",
    "REFERENCE",
    "AnyText",
    "Choice",
    "ConditionShape",
    "Duration",
    "Either",
    "Key",
    "ListOf",
    "NameShape",
    "Number",
    "Pairs",
    "PathShape",
    "Raw",
    "Reader",
    "Record",
    "Reserved",
    "Shape",
    "StepsShape",
    "TableShape",
    "TemplateShape",
    "TextShape",
    "Unreadable",
    "Verb",
    "described",
    "exactly_one",
    "meant",
    "refuse",
    "scalar",
    "shown",
]
