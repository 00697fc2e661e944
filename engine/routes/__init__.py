"""
routes.yaml: read with line and column, checked, compiled; and the router's decision on one message.

    load, check      a file to a Configuration, or to all its findings
    configuration    what was read, as data: the only thing that other rooms see
    findings         what is wrong, where, and what to write; as text and as JSON
    codes/           what each code means, and what to change
    files            where files are read: on disk, or among those that were kept
    differences      what another configuration changes
    document         YAML events to nodes; syntax: what is wrong where they end
    names            what is declared so far
    formatting/      a file laid out anew
    drawing, describing, starting: a picture and pages of a configuration; a first one
    templates        declarations written once and used several times; defaults
    digests          what a declaration says, to compare
    reading          nodes to values: `${…}`, paths, conditions, names
    schema/          which keys exist, and what they take; the editor's schema
    declarations     sites, keys, lists, tables, sources, destinations
    assembling       routes, compiled for each site that their sources bring
    cases            tests of routes, as data; casereading, expectations: how they are read
    when/            the language of conditions (when.lark); scope: what it may name
    evaluation       one message to its deliveries: pure, the hot path of the router; decision: what comes of it
    multiplying      steps on one message, or on the several that one becomes; lanekeys: their lanes
    making           its deliveries, alive or dead; stopping: where a walk ends before its routes
    identification   the section `identity`; identifying: who the patients of one message are
    fences           order, where a number becomes another patient's; deriving: the merge that follows from a merge
    searching        with what keys are hashed, when indexed and when looked for
    encoding         a message as its destination wants it
    tables, shipped, suggestions: what these need
"""

from engine.routes.findings import ConfigurationRefused, Finding
from engine.routes.loader import check, file_secrets, load

__all__ = ["ConfigurationRefused", "Finding", "check", "file_secrets", "load"]
