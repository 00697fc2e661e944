"""What `identity:` and `may_assert:` say: checked, and as records of the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engine.identity.numbers import Check, NumberFormat
from engine.identity.policy import GROUP, IdentityPolicy, OnMerge, Registry
from engine.routes import schema
from engine.routes.configuration import IdentitySection
from engine.routes.suggestions import suggest
from engine.transforms.nodes import Entries, Node, Word
from engine.transforms.shapes import Unreadable, refuse

if TYPE_CHECKING:
    from engine.identity.authorities import Authorities, Authority
    from engine.routes.configuration import Site, Source
    from engine.routes.names import Names
    from engine.routes.reading import Reading

_STAND_IN: Final = IdentitySection()
"""For a section with errors: that verbs and sources don't find it would only follow from these."""


def read_identity(node: Node | None, reading: Reading, names: Names) -> IdentitySection | None:
    """Read `identity:`; None when it isn't there. Of one with errors, which are reported, the usual one stands in."""
    if node is None:
        return None
    values = reading.read(schema.IDENTITY, node)
    if values is None or not isinstance(node, Entries):
        return _STAND_IN
    group = names.authorities.group.get("ipp")
    if group is None:
        reading.error(
            node, "E105", "the group declares no authority ipp, under which its patients are numbered",
            "write group: { authorities: { ipp: { oid: 1.2.250.…, hd1: GHT, type: PN } } }",
        )  # fmt: skip
    elif group.type != "PN":
        sentence = f"the authority ipp of the group has the type {group.type}"
        reading.error(node, "E110", sentence, "write type: PN, the number of a patient for a group (table 0203)")
    if values["registry"] == "follow":
        for name in ("number", "on_merge"):
            if node.get(name) is not None:
                sentence = f"{name} serves nothing with registry: follow: the other registry numbers and merges"
                reading.error(node.key(name) or node, "E118", sentence, f"take {name} out")
    try:
        contracts = tuple(_contract(words, reading, names) for words in values["contracts"] or ())
    except Unreadable:
        return _STAND_IN
    number: dict[str, Any] = values["number"] or {"prefix": "", "width": 9, "check": "mod97"}
    return IdentitySection(
        registry=values["registry"], prefix=str(number["prefix"]), width=number["width"], check=number["check"],
        on_merge=values["on_merge"], contracts=contracts,
    )  # fmt: skip


def sites_asserted(words: Sequence[Word], reading: Reading, names: Names) -> tuple[str, ...]:
    """
    Read `may_assert:` of a source.

    Raises:
        Unreadable: It names no site, or serves nothing; that was reported.
    """
    if words and names.identity is None:
        sentence = "may_assert serves nothing without the section identity"
        raise refuse(reading, words[0].node, "E118", sentence, "add identity: { registry: own }, or take it out")
    for word in words:
        if word != GROUP:
            _known(word, reading, names)
    return tuple(sorted({str(word) for word in words}))


def policies(
    identities: IdentitySection | None, authorities: Authorities, sources: Mapping[str, Source]
) -> dict[str, IdentityPolicy]:
    """Make the rules for the messages of each source; none without the section, or where the group has no authority."""
    if identities is None or "ipp" not in authorities.group:
        return {}
    policy = IdentityPolicy(
        registry=Registry(identities.registry), on_merge=OnMerge(identities.on_merge),
        contracts=frozenset(frozenset(one) for one in identities.contracts), federation=authorities.group["ipp"],
        number=NumberFormat(identities.prefix, identities.width, Check(identities.check)),
    )  # fmt: skip
    return {name: replace(policy, may_assert=frozenset(source.may_assert)) for name, source in sources.items()}


def patient_authorities(sites: Mapping[str, Site]) -> dict[str, Authority]:
    """Return by site the authority under which it numbers its patients: `ipp`, else the only one with CX-5 PI."""
    found: dict[str, Authority] = {}
    for site in sites.values():
        local = [one for one in site.authorities.values() if one.type == "PI"]
        if len(local) > 1:
            local = [one for one in local if one.name == "ipp"]
        if local:
            found[site.name] = local[0]
    return found


def _contract(words: Sequence[Word], reading: Reading, names: Names) -> tuple[str, ...]:
    for word in words:
        _known(word, reading, names)
    sites = tuple(sorted({str(word) for word in words}))
    if len(sites) < len(words):
        raise refuse(reading, words[-1].node, "E118", "a site stands twice in one contract", "keep one")
    return sites


def _known(word: Word, reading: Reading, names: Names) -> None:
    if word not in names.sites:
        hint = suggest(word, names.sites)
        raise refuse(reading, word.node, "E116", f"there is no site {word}", hint, ("sites", str(word)))
