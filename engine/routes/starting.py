"""A first routes.yaml, made of what somebody says about his hospitals: it runs, and lint finds nothing."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.routes.schema.editor import MODELINE

_PREFIXES: Final = re.compile(
    r"(?:(?:centre hospitalier|ch|chu|chr|hopital|clinique|ehpad)\b\W*)?(?:(?:d|de|du|des|la|le|les)\b\W*)*"
)
_NAME_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSite:
    """One establishment, as somebody describes it."""

    name: str
    """Small letters, digits, `_` and `-`."""
    label: str
    finess_ej: str
    """Nine characters."""
    oid: str = ""
    """Of its patient numbers; empty: they are known by the FINESS."""
    charset: str = "ISO-8859-1"


def name_of(label: str) -> str:
    """Propose a name for an establishment: `CH d'Arvigny` becomes `arvigny`."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    plain = plain[match.end() :] if (match := _PREFIXES.match(plain)) is not None else plain
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return re.sub(r"^[^a-z]+", "", words)[:_NAME_MAX].rstrip("_") or "site"


def first_configuration(group: str, sites: Sequence[NewSite], *, port: int, dpi: str) -> str:
    """
    Write the file.

    Args:
        group: Name of the group.
        sites: Its establishments, one at least.
        port: On which the admission system of the first one is listened to; the others follow.
        dpi: Address of the patient record, host:port.

    Returns:
        The text of routes.yaml, with a test that passes.
    """
    parts = [_HEAD.format(modeline=MODELINE, group=_text(group)), *(_site(one) for one in sites), _KEYS]
    parts += [_source(one, port + rank) for rank, one in enumerate(sites)]
    first = sites[0]
    authority = f"IPP&{first.oid}&ISO" if first.oid else f"&{first.finess_ej}&M"
    parts.append(
        _REST.format(dpi=_text(dpi), sources=", ".join(f"gam_{one.name}" for one in sites), first=first.name,
                     finess=first.finess_ej, authority=authority)
    )  # fmt: skip
    return "".join(parts)


def _text(words: str) -> str:
    """Write a text of any characters: a JSON string is one of YAML too."""
    return json.dumps(words, ensure_ascii=False)


def _site(site: NewSite) -> str:
    authority = f"oid: {site.oid}, hd1: IPP" if site.oid else f"finess: {_text(site.finess_ej)}"
    return f"""  {site.name}:
    label: {_text(site.label)}
    finess_ej: {_text(site.finess_ej)}
    charset: {site.charset} # what its systems really emit, when MSH-18 is silent or wrong
    authorities:
      ipp: {{ {authority}, type: PI }}
"""


def _source(site: NewSite, port: int) -> str:
    return f"  gam_{site.name}: {{ type: mllp, site: {site.name}, listen: 127.0.0.1:{port}, untyped: ipp }}\n"


_HEAD: Final = """{modeline}
# The interfaces of the group: who sends, who receives, what happens in between.
# `passerelle lint` says what is wrong here, `passerelle test` runs the tests below the routes.
version: 1

group:
  label: {group}

sites:
"""
_KEYS: Final = """
keys: # messages are searched by these values, which are stored hashed
  ipp: { path: "PID-3[@ipp].1" }
  nda: { path: [PID-18.1, PV1-19.1] }

sources: # who sends; other machines reach them when they listen at 0.0.0.0, see allow: too
"""
_REST: Final = """
destinations: # who receives
  dpi:
    type: mllp
    connect: {dpi}
    order_by: patient
    # what waits behind a dead letter of its patient waits for an operator, and an alert says so after 30 minutes
    dead_letter: {{ lane: park, park_max: 30m }}

steps:
  identities:
    - label: identifiers with the complete authority that their site declares
      normalise_authorities: {{ on_unknown: keep }}

routes:
  adt_to_dpi:
    from: [{sources}]
    when: type == ADT
    on_no_match: filter
    steps:
      - use: identities
    to: [dpi]
    tests:
      - name: an admission arrives with the authority of its patient number
        given:
          source: gam_{first}
          message: |
            MSH|^~\\&|GAM|{finess}|DPI|GHT|20260301120000||ADT^A01^ADT_A01|1|P|2.5|||||FRA|UNICODE UTF-8
            EVN||20260301120000
            PID|1||T000001^^^^PI||TEST^ALIX^^^^^L||19800101|F
            PV1|1|I|1010
        expect:
          dpi:
            "PID-3[@ipp].1": T000001
            "PID-3[@ipp].4": "{authority}"
            unchanged: [PID-5, PID-7, PV1]
"""
