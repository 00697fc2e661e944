"""
Which keys exist in routes.yaml, and what they take: parse, lint and the editor's schema come from here.

    words        durations, sizes, addresses, FINESS, OIDs, charsets, time zones
    sites        group, sites, authorities, keys, tables
    doors        sources and destinations, by type
    routes       routes and the entries of their `to:`
    templates    templates, their parameters and uses; defaults
    trials       tests
    editor       all of it as one JSON Schema
"""

from typing import Final

from engine.routes.schema.doors import DEAD_LETTER, DESTINATIONS, ORDER_BY, SOURCES
from engine.routes.schema.routes import ROUTE
from engine.routes.schema.sites import AUTHORITY, GROUP, IDENTITY, KEY, SITE, TABLE
from engine.routes.schema.templates import DECLARED, DEFAULTS, KINDS, PARAM, TEMPLATE, VALUES
from engine.routes.schema.words import OUTGOING

__all__ = [
    "AUTHORITY",
    "DEAD_LETTER",
    "DECLARED",
    "DEFAULTS",
    "DESTINATIONS",
    "GROUP",
    "IDENTITY",
    "KEY",
    "KINDS",
    "ORDER_BY",
    "OUTGOING",
    "PARAM",
    "ROUTE",
    "SECTIONS",
    "SITE",
    "SOURCES",
    "TABLE",
    "TEMPLATE",
    "VALUES",
]

SECTIONS: Final[dict[str, str]] = {
    "version": "Of the language: 1.",
    "include": "Further files of this configuration, below this one: [sites.yaml, routes/*.yaml]",
    "group": "The group of hospitals, with the authorities that are its own.",
    "identity": "Patients across the establishments: who numbers them, and what may link them.",
    "sites": "Its establishments: FINESS, charset, authorities.",
    "lists": "Named lists of codes: `in list urgent`. Shipped: pam.identity, pam.stay, pam.cancel.",
    "tables": "Tables of codes, CSV files: for `map`, `in table`, `site_from`.",
    "keys": "Values by which messages are searched, and may be ordered: name -> where they stand.",
    "defaults": "What sites, sources, destinations and routes say unless they say otherwise.",
    "templates": "Declarations with parameters, to be used several times.",
    "sources": "The doors through which messages come.",
    "destinations": "The receivers, each with its queue.",
    "steps": "Named runs of steps: - use: name",
    "routes": "From which sources, when, through which steps, to which destinations.",
}
"""The sections of the file, in the order in which people read them."""
