"""Patients and identifiers by what operators type, and the rows that a decision needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from engine.errors import OperationRefused
from engine.identity.crossreference import Known, Unread
from engine.identity.ins import INS_AUTHORITIES

if TYPE_CHECKING:
    from engine.core.identities import IdentifierRow, PatientRow
    from engine.core.references import References
    from engine.identity.policy import IdentityPolicy
    from engine.operations.desk import Desk
    from engine.routes.configuration import Configuration

Result = TypeVar("Result")

KINDS: Final = ("ipp", "nda", "ins", "number")
"""What an operator may look for: a hospital's number of a patient or of a stay, an INS, the group's own number."""
NO_SECTION: Final = "the configuration has no section identity: nothing is known of patients here"
_READS_MAX: Final = 1_000
ROWS_MAX: Final = 1_000
"""Keys that a store is asked for at once (core.ports.Store.identities)."""


def require_identity(desk: Desk) -> tuple[Configuration, IdentityPolicy]:
    """
    Return the configuration and the group's rules.

    Raises:
        OperationRefused: There is no configuration, or it has no section `identity`.
    """
    configuration = desk.configuration()
    if configuration is None:
        raise OperationRefused("there is no configuration here: name one with --routes", exit_code=78)
    policy = next(iter(configuration.policies.values()), None)
    if policy is None:
        raise OperationRefused(NO_SECTION)
    return configuration, policy


def require_references(desk: Desk) -> References:
    """Return what hashes identifiers; every data directory has it."""
    assert desk.references is not None, "identifiers are hashed with the key of the data directory"
    return desk.references


def read_number(text: str, noun: str) -> int:
    """
    Read the id of a patient or of an event.

    Raises:
        OperationRefused: The text is no id (usage).
    """
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 62):
        hint = "`passerelle identity find` gives it" if noun == "patient" else "`passerelle identity history` gives it"
        raise OperationRefused(f"'{text}' is no id of {_article(noun)}; {hint}", exit_code=2)
    return int(text)


async def require_patient(desk: Desk, id_: int) -> tuple[PatientRow, list[IdentifierRow]]:
    """
    Return a patient and his identifiers.

    Raises:
        OperationRefused: There is none; where he was joined to another, that one is named.
    """
    rows = await desk.store.identities((), (id_,))
    patient = rows.patients.get(id_)
    if patient is not None:
        found = await identifiers_of(desk, patient.identifiers)
        return patient, found
    how = await _ending(desk, id_)
    if how:
        raise OperationRefused(f"patient {id_} {how}: `passerelle identity history {id_}` says why")
    raise OperationRefused(f"there is no patient {id_}; `passerelle identity find` looks for one by an identifier")


async def identifiers_of(desk: Desk, keys: Collection[int]) -> list[IdentifierRow]:
    """Return identifiers by their hashes, those that are known, in order of kind and authority."""
    found: list[IdentifierRow] = []
    keys = list(keys)
    for first in range(0, len(keys), ROWS_MAX):
        found += (await desk.store.identities(keys[first : first + ROWS_MAX])).identifiers.values()
    wanted = set(keys)
    chosen = [row for row in found if row.hash in wanted]
    return sorted(chosen, key=lambda row: (row.kind != 1, row.kind, row.authority, row.value))


async def _ending(desk: Desk, id_: int) -> str:
    """Say how a patient ended: joined to another, or taken back; empty where nobody knows of him."""
    for event in await desk.queries.identity_events(patient=id_, limit=20):
        before, after = event.patients.get(id_, (None, None))
        if before is not None and after is None:
            keys = [key for key, (row, new) in event.identifiers.items() if new is not None and row != new]
            living = {row.patient for row in await identifiers_of(desk, keys)} - {0, id_}
            if not living:
                return f"is no more: decision {event.id} took back what made him"
            return f"was joined to patient {min(living)}"
    return ""


def hashes_of(configuration: Configuration, references: References, kind: str, value: str) -> list[int]:
    """
    Hash an identifier as the router did: once for each authority that may have given it.

    Args:
        configuration: Today's.
        references: The data directory's.
        kind: One of KINDS.
        value: The identifier.

    Raises:
        OperationRefused: No such kind, or no value (usage).
    """
    if kind not in KINDS:
        raise OperationRefused(f"'{kind}' is not one of {', '.join(KINDS)}", exit_code=2)
    if not value:
        raise OperationRefused("an empty identifier finds nothing", exit_code=2)
    if kind == "ins":
        return [references.hash("ins", oid, value) for oid in INS_AUTHORITIES]
    chosen = {
        "ipp": [one for one in configuration.authorities.all() if one.of_patients and one.site],
        "number": [one for one in configuration.authorities.all() if one.of_patients and not one.site],
        "nda": [one for one in configuration.authorities.all() if not one.of_patients and one.site],
    }[kind]
    name = "stay" if kind == "nda" else "patient"
    return [references.hash(name, one.key, value) for one in chosen]


async def decided(
    desk: Desk, decide: Callable[[Known], Result], identifiers: Collection[int] = (), patients: Collection[int] = ()
) -> Result:
    """
    Ask a pure function of the cross-reference, reading what it wants.

    Args:
        desk: Where.
        decide: Raises Unread for what the view never read.
        identifiers: Hashes that it will ask for.
        patients: Ids that it will ask for.
    """
    view = Known()
    await read_into(desk, view, list(identifiers), list(patients))
    for _ in range(_READS_MAX):
        try:
            return decide(view)
        except Unread as unread:
            await read_into(desk, view, unread.identifiers, unread.patients, unread.traits)
    raise OperationRefused("this asks for too much of the cross-reference: nothing was changed; report it")


async def read_into(
    desk: Desk, view: Known, identifiers: Sequence[int], patients: Sequence[int] = (), traits: Sequence[int] = ()
) -> None:
    """Read rows into a view, as many at a time as a store gives; patients who come along are read with them."""
    for first in range(0, max(len(identifiers), len(patients), len(traits)), ROWS_MAX):
        part = [keys[first : first + ROWS_MAX] for keys in (identifiers, patients, traits)]
        view.take(await desk.store.identities(*part), *part)


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
