"""The review list: pairs of patients that a person must look at, the most urgent first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engine.core.identities import Pairs, ReviewState
from engine.errors import OperationRefused
from engine.identity.deciding.terms import SENTENCES
from engine.operations.identities.knowing import read_number, require_identity
from engine.operations.identities.seeing import compared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.identities import PatientRow
    from engine.operations.desk import Answer, Desk

_STATES: Final = {"open": ReviewState.OPEN, "linked": ReviewState.LINKED, "apart": ReviewState.APART, "all": None}
_URGENCY: Final = {rule: rank for rank, rule in enumerate(SENTENCES)}
_OF_OFFICERS: Final = ("unlink", "apart")
"""Rules of pairs that never were to be looked at: an officer said at once that they are two people."""
PAGE_MAX: Final = 400


async def identity_review(
    desk: Desk, state: str = "open", rule: str = "", site: str = "", since_ms: int = 0, after: str = "", limit: int = 50
) -> Answer:
    """
    List pairs of patients that a person must look at: by rule, the most urgent first, then the oldest.

    Args:
        desk: Where.
        state: open, linked, apart or all.
        rule: Only pairs on the list for this reason.
        site: Only pairs of whom one is known to this hospital.
        since_ms: Only pairs on the list, for this reason, since then.
        after: Id of the last pair seen, to go on.
        limit: How many at most.

    Returns:
        `counts`: by rule, in order of urgency, how many there are (also open ones of whom one was joined to another
        since: these aren't listed); `rows`, each with how what is known of the two compares; `next`.

    Raises:
        OperationRefused: There is no such state, rule, hospital or pair.
    """
    configuration, _ = require_identity(desk)
    _require("state", state, _STATES)
    if rule:
        _require("rule", rule, [*_URGENCY, *_OF_OFFICERS])
    if site:
        _require("site", site, sorted(configuration.sites))
    chosen = Pairs(state=_STATES[state], rule=rule, site=site, since_ms=since_ms)
    start = (await _pair(desk, after))["rule"] if after else ""
    counts = await _counts(desk, chosen)
    rows = await _page(desk, chosen, counts, start, read_number(after, "pair") if after else 0, min(limit, PAGE_MAX))
    last = str(rows[-1]["id"]) if len(rows) == min(limit, PAGE_MAX) else ""
    return {"v": 1, "counts": counts, "rows": await _shown(desk, rows), "next": last}


async def reviews_of(desk: Desk, patient: int) -> list[dict[str, Any]]:
    """Return the open pairs of a patient, as `identity_review`."""
    chosen = Pairs(patient=patient)
    return await _shown(desk, await _page(desk, chosen, await _counts(desk, chosen), "", 0, PAGE_MAX))


def _require(what: str, word: str, words: Iterable[str]) -> None:
    if word not in (known := list(words)):
        raise OperationRefused(f"'{word}' is no {what}; there are {', '.join(known)}", exit_code=2)


async def _pair(desk: Desk, text: str) -> dict[str, Any]:
    """Return the pair of an id."""
    number = read_number(text, "pair")
    rows = await desk.queries.reviews(Pairs(state=None), after=number - 1, limit=1)
    if not rows or rows[0]["id"] != number:
        raise OperationRefused(f"pair {number} is no longer on the list: begin again, without it")
    return rows[0]


async def _counts(desk: Desk, chosen: Pairs) -> dict[str, int]:
    counts = await desk.queries.review_counts(chosen)
    return {rule: counts[rule] for rule in sorted(counts, key=_rank)}


async def _page(
    desk: Desk, chosen: Pairs, rules: Iterable[str], start: str, after: int, limit: int
) -> list[dict[str, Any]]:
    """Read pairs rule by rule, behind pair `after` of rule `start`; open ones only while both patients are there."""
    rows: list[dict[str, Any]] = []
    living = chosen.state is ReviewState.OPEN
    for rule in rules:
        if (start and _rank(rule) < _rank(start)) or len(rows) == limit:
            continue
        which = replace(chosen, rule=rule, living=living)
        rows += await desk.queries.reviews(which, after=after if rule == start else 0, limit=limit - len(rows))
    return rows


def _rank(rule: str) -> tuple[int, str]:
    return _URGENCY.get(rule, len(_URGENCY)), rule


async def _shown(desk: Desk, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return pairs as people read them."""
    ids = sorted({int(row[end]) for row in rows for end in ("low", "high")})
    known: dict[int, PatientRow] = {}
    for first in range(0, len(ids), PAGE_MAX):
        known |= (await desk.store.identities((), ids[first : first + PAGE_MAX])).patients
    return [_review(row, known) for row in rows]


def _review(row: dict[str, Any], known: dict[int, PatientRow]) -> dict[str, Any]:
    one, other = known.get(int(row["low"])), known.get(int(row["high"]))
    comparison = compared(one, other) if one is not None and other is not None else "one of the two is no more"
    sites = {said.site for patient in (one, other) if patient is not None for said in patient.assertions}
    return {
        "id": str(row["id"]), "one": str(row["low"]), "other": str(row["high"]), "state": row["state"],
        "rule": row["rule"], "sites": sorted(sites), "message": str(row["place"]) if row["place"] else "",
        "at_ms": row["at_ms"], "sentence": row["sentence"], "traits": comparison,
    }  # fmt: skip
