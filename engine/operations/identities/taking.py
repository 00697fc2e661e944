"""
An existing cross-reference is taken, a batch of rows at a time; and given, page by page, in the form that is taken.

What a batch says of one patient is one decision (`import` in his history); all are committed together, while no message
is being decided. What it makes known releases the messages that waited for it; deliveries that left the router before
keep their order (fences).
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.core.changes import Identify
from engine.core.identities import IdentifierKind
from engine.errors import OperationRefused
from engine.identity.bulk import ADDED, COLUMNS, KNOWN, REQUIRED, Bulk, Unfit, names_of, read_entry
from engine.identity.crossreference import Known, Unread
from engine.identity.decisions import touched
from engine.identity.traits import StrictTraits
from engine.operations.acts import require_reason
from engine.operations.desk import Standstill
from engine.operations.identities.knowing import read_into, read_number, require_identity, require_references

if TYPE_CHECKING:
    from engine.core.identities import Assertion, IdentifierRow, IdentityEvent, PatientRow
    from engine.core.messages import Delivery
    from engine.identity.bulk import Entry, Keyed
    from engine.operations.desk import Answer, Desk
    from engine.routes.configuration import Configuration

BATCH_MAX: Final = 5_000
_PAGE_MAX: Final = 500


async def identity_import(
    desk: Desk,
    who: str,
    columns: Sequence[str],
    rows: Sequence[str],
    line: int = 0,
    separator: str = ",",
    file: str = "",
    reason: str = "",
    dry: bool = False,
) -> Answer:
    """
    Take some rows of a file.

    Args:
        desk: Where.
        who: Name of the operator.
        columns: The file's header; identity.bulk.COLUMNS, in any order, those of REQUIRED at least.
        rows: Lines of CSV, at most BATCH_MAX; nothing of them is logged.
        line: Number of the first one in its file.
        separator: What stands between two cells.
        file: Name of the file, where the audit trail is to say that its import begins; else empty.
        reason: Why.
        dry: Only compare them with what is known.

    Returns:
        `added`, `known` (they were known already), `refused`: `line` and `reason` of each that wasn't taken;
        `event`: whether something changed.
    """
    configuration, _ = require_identity(desk)
    _check_columns(columns)
    if len(separator) != 1:
        raise OperationRefused("the separator is one sign", exit_code=2)
    if len(rows) > BATCH_MAX:
        raise OperationRefused(f"at most {BATCH_MAX:,} rows at a time", exit_code=2)
    if file and not dry:
        await desk.audit(who, "identity import", file, require_reason(reason))
    refused: list[dict[str, Any]] = []
    cells = csv.reader(rows, delimiter=separator)
    entries = await asyncio.to_thread(_read, configuration, columns, cells, line, refused)
    async with _alone(desk, dry=dry) as still:
        counts, change = await _take(desk, entries, refused, still, who=who, reason=reason)
        if change is not None and not dry:
            await desk.commit(change)
            still.took(change)
    return {"v": 1, "dry": dry, "refused": sorted(refused, key=lambda one: one["line"])} | counts


async def identity_export(desk: Desk, who: str, after: str = "", limit: int = _PAGE_MAX, reason: str = "") -> Answer:
    """
    Give a page of the cross-reference, in the form that identity_import takes; stays and decisions are left out.

    Args:
        desk: Where.
        who: Name of the operator.
        after: `next` of the page before; empty: the first, which is audited.
        limit: Patients a page.
        reason: Why.
    """
    configuration, _ = require_identity(desk)
    if not after:
        await desk.audit(who, "identity export", "all patients", require_reason(reason))
    wanted = min(limit, _PAGE_MAX)
    found = await desk.queries.identity_rows(after=read_number(after, "patient") if after else 0, limit=wanted)
    sites = {one.key: one.site for one in configuration.authorities.all()}
    names = {one.key: f"{one.site}/{one.name}" for one in configuration.authorities.all() if one.site}
    rows = [line for patient, identifiers in found for line in _lines(patient, identifiers, sites, names)]
    return {"v": 1, "columns": list(COLUMNS), "rows": rows, "patients": len(found),
            "next": str(found[-1][0].id) if len(found) == wanted else ""}  # fmt: skip


# --- taking


@contextlib.asynccontextmanager
async def _alone(desk: Desk, *, dry: bool) -> AsyncIterator[Standstill]:
    """Keep the routers of a running engine from deciding meanwhile; without one nobody decides."""
    if dry or desk.live is None:
        yield Standstill(await _decided(desk), lambda _: None)
        return
    async with desk.live.between_messages() as still:
        yield still


async def _decided(desk: Desk) -> tuple[int, ...]:
    """Return the last decided place of each routing group that has something left, and of those that have not."""
    places = {int((await desk.queries.facts())["highest_place"])}
    for group in await desk.queries.groups():
        left = (await desk.store.unrouted(group, 0, 1, 1)).items
        if left:
            places.add(left[0].place - 1)
    return tuple(sorted(places))


def _check_columns(columns: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing or unknown or len(set(columns)) < len(columns):
        wrong = [f"without {', '.join(missing)}"] if missing else []
        wrong += [f"with {', '.join(unknown)}"] if unknown else []
        sentence = f"the header is {' and '.join(wrong) or 'said twice'}; it takes {','.join(COLUMNS)}"
        raise OperationRefused(sentence, exit_code=2)


def _read(
    configuration: Configuration,
    columns: Sequence[str],
    rows: Iterable[list[str]],
    line: int,
    refused: list[dict[str, Any]],
) -> list[tuple[int, Entry]]:
    authorities = names_of(configuration.authorities.all())
    entries = []
    for number, cells in enumerate(rows, line):
        if not cells:
            continue
        try:
            if len(cells) != len(columns):
                raise Unfit(f"{len(cells)} cells in place of {len(columns)}")
            given = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
            entries.append((number, read_entry(given, authorities)))
        except Unfit as unfit:
            refused.append({"line": number, "reason": str(unfit)})
    return entries


async def _take(
    desk: Desk,
    entries: list[tuple[int, Entry]],
    refused: list[dict[str, Any]],
    still: Standstill,
    *,
    who: str,
    reason: str,
) -> tuple[dict[str, Any], Identify | None]:
    """Decide on a batch; returns counts, and the change that is to be committed."""
    configuration, policy = require_identity(desk)
    facts = await desk.store.identity_facts()
    view = Known()
    bulk = Bulk(view, policy, require_references(desk), next_patient=facts.next_patient, at_ms=desk.now_ms())
    keyed = await asyncio.to_thread(lambda: [(number, bulk.keyed(entry)) for number, entry in entries])
    await _fill(desk, view, [one for _, one in keyed])
    counts = {ADDED: 0, KNOWN: 0}
    while unread := await asyncio.to_thread(_take_all, bulk, keyed, counts, refused):
        await read_into(desk, view, unread.identifiers, unread.patients, unread.traits)
    from engine.routes.identifying import releases_of  # late: it brings the configuration's rooms along

    place = max(still.decided, default=0)
    events = bulk.events(place, who=who, reason=reason)
    if not events:
        return counts | {"event": False}, None
    releases = releases_of(events, require_references(desk), configuration.sites)
    change = Identify(
        events[0], await _fences(desk, configuration, events, still.decided), releases, place=place,
        also=events[1:], next_patient=bulk.next_patient,
    )  # fmt: skip
    return counts | {"event": True}, change


def _take_all(
    bulk: Bulk, entries: list[tuple[int, Keyed]], counts: dict[str, int], refused: list[dict[str, Any]]
) -> Unread | None:
    """Take entries, each leaves the list; in a thread, so that the loop of a running engine goes on beside it."""
    for done, (number, entry) in enumerate(entries):
        try:
            counts[bulk.take(entry)] += 1
        except Unfit as unfit:
            refused.append({"line": number, "reason": str(unfit)})
        except Unread as unread:  # two patients whose pair was not read
            del entries[:done]
            return unread
    return None


async def _fill(desk: Desk, view: Known, entries: Sequence[Keyed]) -> None:
    """Read what a batch may ask: the rows of its keys, then all identifiers of the patients found."""
    identifiers = {key for one in entries for key in (one.number, one.local, one.ins) if key}
    traits = {one.traits for one in entries if one.traits}
    await read_into(desk, view, list(identifiers), (), list(traits))
    owners = {row.patient for key in identifiers if (row := view.identifier(key)) is not None and row.patient}
    owners |= {id_ for one in traits for id_ in view.alike(one)}
    theirs = {key for id_ in owners if (patient := view.patient(id_)) is not None for key in patient.identifiers}
    await read_into(desk, view, list(theirs - identifiers), list(owners))


async def _fences(
    desk: Desk, configuration: Configuration, events: Iterable[IdentityEvent], places: Sequence[int]
) -> list[Delivery]:
    """Propose fences for numbers that had lanes of their own and now have their patient's, where something waits."""
    counters = await desk.queries.counters()
    if not any(n for (kind, _, what), n in counters.items() if kind == "delivery" and what == "pending"):
        return []
    from engine.routes.fences import fences  # late, as above

    references = require_references(desk)
    changed = [pair for event in events for pair in touched(event, references)]
    return [fence for pair in changed for fence in fences([pair], configuration, places, place=0)]


# --- giving


def _lines(
    patient: PatientRow, rows: list[IdentifierRow], sites: dict[str, str], names: dict[str, str]
) -> list[list[str]]:
    """Return the rows of one patient: each site's assertion stands with its first number in use."""
    ins = {row.hash: row for row in rows if row.kind is IdentifierKind.INS}
    said = {one.site: one for one in patient.assertions}
    found = []
    for row in rows:
        if row.kind not in (IdentifierKind.LOCAL, IdentifierKind.ALIAS):
            continue
        cells = dict.fromkeys(COLUMNS, "")
        cells |= {"number": patient.number, "authority": names.get(row.authority, row.authority), "value": row.value}
        if row.kind is IdentifierKind.ALIAS:
            cells["kind"] = "alias"
        else:
            assertion = said.pop(sites.get(row.authority, ""), None)
            if assertion is not None:
                cells |= _said(assertion, ins.get(assertion.ins))
        found.append([cells[name] for name in COLUMNS])
    return found


def _said(assertion: Assertion, ins: IdentifierRow | None) -> dict[str, str]:
    cells = {"status": assertion.status, "attributes": " ".join(assertion.attributes)}
    cells |= {name: getattr(assertion, name) for name in StrictTraits._fields}
    if ins is not None:
        cells |= {"ins_oid": ins.authority, "ins": ins.value}
    return cells


__all__ = ["BATCH_MAX", "identity_export", "identity_import"]
