"""What the cross-reference of a running engine says, as the lines that end a transcript; and officers' acts on it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.core.identities import IdentifierKind, IdentifierRow, PatientRow
from engine.core.references import References
from engine.errors import OperationRefused
from tests.scenarios.parts import GROUP_OID, NIR, OIDS, Person
from tests.scenarios.reading import Reading, segments
from tests.scenarios.reading import field_of as hl7_field
from tests.support.engine import RunningEngine

_SITES: Final = {f"{OIDS[site]['IPP']}|PI": site for site in OIDS}
_STATUSES: Final = {"QUAL": "qualified", "VALI": "validated", "RECUP": "retrieved", "PROV": "provisional", "": "unsaid"}
_CODES: Final = {word: code for code, word in _STATUSES.items()}
_TRAITS: Final = ("birth_name", "first_name", "first_names", "sex", "birth_place")
ROW_COLUMNS: Final = ("number", "authority", "value", "kind", "status", *_TRAITS, "birth_date", "ins_oid", "ins")
"""Of the rows of `rows_of`."""
_WORDS: Final = (
    "homonym", "doubtful", "fictive", "anonymous", "hidden", "duplicate", "collision", "nameless", "usurped",
)  # fmt: skip
_NAMES: Final = {"local": "patient", "group": "patient", "ins": "ins"}
"""Space of values of the hashes (decision 0018), by what a transcript names."""


def rows_of(number: str, words: Mapping[str, str], person: Person | None) -> list[list[str]]:
    """
    Make the rows of a file of `identity import` for one patient.

    Args:
        number: The group's.
        words: `identifiers`, and the `status` that hospitals give him.
        person: What hospitals say of him; None: nothing.
    """
    rows = []
    for one in words["identifiers"].split(", "):
        site, value = one.removeprefix("formerly ").split(" ", 1)
        cells = dict.fromkeys(ROW_COLUMNS, "") | {"number": number, "authority": f"{site}/ipp", "value": value}
        if one.startswith("formerly "):
            cells["kind"] = "alias"
        elif person is not None:
            cells |= {name: getattr(person, name) for name in _TRAITS}
            cells |= {"birth_date": person.birth_date.replace("-", ""), "status": _CODES[words.get("status", "unsaid")]}
            if words.get("status") == "qualified":
                cells |= {"ins_oid": NIR, "ins": person.ins}
        rows.append(list(cells.values()))
    return rows


class CrossReferenceFacts:
    """Asks the engine as operators do: queries, and the operations of `passerelle identity`."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine
        self._queries = engine.queries

    # --- patients

    async def numbers(self) -> list[str]:
        """Return every federation identifier given so far, those of joined patients too, in order."""
        return sorted({row.value for _, rows in await self._patients() for row in rows if _is_number(row)})

    async def _patients(self) -> list[tuple[PatientRow, list[IdentifierRow]]]:
        return await self._queries.identity_rows(limit=500)

    async def _patient(self, number: str) -> int:
        """Return the id of the patient of a federation identifier."""
        for patient, rows in await self._patients():
            if any(_is_number(row) and row.value == number for row in rows):
                return patient.id
        raise AssertionError(f"nobody has the number {number}")

    # --- acts

    async def link(self, low: str, high: str) -> None:
        """Join two patients."""
        await self._act("identity_link", one=str(await self._patient(low)), other=str(await self._patient(high)))

    async def apart(self, low: str, high: str) -> None:
        """Say that two patients are two people."""
        await self._act("identity_apart", one=str(await self._patient(low)), other=str(await self._patient(high)))

    async def unlink(self, identifier: tuple[str, str, str], *, another_person: bool) -> None:
        """Give a number a patient of its own."""
        _, site, value = identifier
        (patient,) = {
            patient.id
            for patient, rows in await self._patients()
            for row in rows
            if (_SITES.get(row.authority), row.value) == (site, value)
        }
        await self._act("identity_unlink", id=str(patient), kind="ipp", value=value, another_person=another_person)

    async def undo_last(self, number: str) -> None:
        """Take the last decision about a patient back that an officer made."""
        patient = await self._patient(number)
        events = await self._queries.identity_events(patient=patient, limit=100)
        undone = {event.undoes for event in events}
        acts = [event for event in events if event.who and not event.undoes and event.id not in undone]
        await self._act("identity_undo", event=str(acts[0].id if acts else 0))

    async def _act(self, operation: str, **arguments: Any) -> None:
        await self._engine.call(operation, reason="transcript", **arguments)

    # --- a cross-reference that is taken over

    async def take_over(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """
        Import rows.

        Raises:
            OperationRefused: Some of them aren't taken; why.
        """
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(rows)
        answer = await self._engine.call(
            "identity_import", columns=list(columns), rows=lines.getvalue().splitlines(), line=2, file="mpi.csv",
            reason="transcript",
        )  # fmt: skip
        if answer["refused"]:
            raise OperationRefused("; ".join(one["reason"] for one in answer["refused"]))

    async def exported(self) -> tuple[list[str], list[list[str]]]:
        """Return columns and rows of the whole cross-reference."""
        answer = await self._engine.call("identity_export", reason="transcript")
        columns, rows = answer["columns"], answer["rows"]
        while answer["next"]:
            answer = await self._engine.call("identity_export", after=answer["next"], reason="transcript")
            rows += answer["rows"]
        return columns, rows

    # --- who received what

    async def carriers(self, identifier: tuple[str, str, str]) -> list[tuple[str, str]]:
        """Return (destination, control id) of what carried an identifier."""
        kind, authority, value = identifier
        if kind == "local":
            authority = f"{OIDS[authority]['IPP']}|PI"
        elif kind == "group":
            authority = f"{GROUP_OID}|PN"
        hash_ = self._references.hash(_NAMES[kind], authority, value)
        rows = await self._queries.carriers([hash_], limit=500)
        return [(str(row["destination"]), await self._control_id(int(row["place"]))) for row in rows]

    @property
    def _references(self) -> References:
        return References(self._engine.service._store.reference_key)

    async def _control_id(self, place: int) -> str:
        """Return MSH-10 of a message (HPRIM: H-2), as the transcript's messages are known."""
        raw = await self._engine.raw(place)
        if raw.startswith(b"H|"):
            return raw.split(b"|")[2].decode()
        return hl7_field(segments(raw), "MSH", 10)

    # --- the end

    async def dead_ids(self) -> list[tuple[str, str]]:
        """Return (control id, id for operators) of the dead letters."""
        rows = (await self._engine.call("dead_list", limit=500))["rows"]
        return [(await self._control_id(int(str(row["id"]).partition("-")[0])), str(row["id"])) for row in rows]

    async def lines(self, reading: Reading) -> list[str]:
        """Return what is known in the end; federation identifiers get their names G1, G2… later."""
        patients = await self._patients()
        names = {patient.id: self._name(patient, rows, reading) for patient, rows in patients}
        lines = [line for patient, rows in patients for line in self._of_patient(patient, rows, names, reading)]
        lines = lines or ["nobody is known"]
        reviews = await self._queries.reviews(limit=500)
        lines += [f"to review: {names[row['low']]} and {names[row['high']]}, {row['rule']}" for row in reviews]
        lines += await self._stays(names, reading)
        lines += await self._messages(reading)
        return lines

    def _name(self, patient: PatientRow, rows: Iterable[IdentifierRow], reading: Reading) -> str:
        for row in rows:
            if _is_number(row):
                reading.alias(row.value)  # seen: it counts among G1, G2…
        return reading.alias(patient.number) if patient.number else "somebody without number"

    def _of_patient(
        self, patient: PatientRow, rows: Iterable[IdentifierRow], names: dict[int, str], reading: Reading
    ) -> list[str]:
        name, shown = names[patient.id], []
        for row in rows:
            if _is_number(row):
                if row.value != patient.number:
                    shown.append(f"formerly {reading.alias(row.value)}")
            elif row.kind is IdentifierKind.INS:
                shown.append(reading.show_national(row.authority.partition("|")[0], row.value))
            else:
                formerly = "formerly " if row.kind is IdentifierKind.ALIAS else ""
                shown.append(f"{formerly}{_SITES.get(row.authority, row.authority)} {row.value}")
        lines = [f"{name} is {', '.join(shown)}" if shown else f"{name} has no identifier"]
        for said in patient.assertions:
            words = [_STATUSES[said.status], *(word for word in _WORDS if word in said.attributes)]
            lines.append(f"{said.site} says that {name} is {', '.join(words)}")
        return lines

    async def _stays(self, names: dict[int, str], reading: Reading) -> list[str]:
        """Return of whom each stay is that the transcript's messages named."""
        lines = []
        for site, value in sorted(reading.stays):
            hash_ = self._references.hash("stay", f"{OIDS[site]['NDA']}|AN", value)
            rows = (await self._engine.service._store.identities([hash_])).identifiers
            stay = rows.get(hash_)
            if stay is not None:
                patient = rows[stay.under].patient if stay.under in rows else stay.patient
                lines.append(f"stay {site} {value} is of {names.get(patient, 'nobody')}")
        return lines

    async def _messages(self, reading: Reading) -> list[str]:
        """Return what waits, what is dead, and what hasn't left."""
        lines = []
        for row in await self._engine.messages():
            name = reading.name_of(await self._control_id(row["place"]))
            deliveries = await self._queries.deliveries_of(row["place"])
            codes = {one["code"] for one in deliveries if one["state"] == "dead"}
            if row["state"] == "waiting":
                lines.append(f"waiting: {name}")
            elif row["state"] == "dead":
                codes.add(row["code"])
            lines += [f"dead: {name} {code}" for code in sorted(codes)]
            lines += [
                f"unsent at {one['destination'].removeprefix('to_')}: {name}"
                for one in deliveries
                if one["state"] == "pending" and one["kind"] not in ("fence", "wall")
            ]
        return lines


def _is_number(row: IdentifierRow) -> bool:
    return row.kind is IdentifierKind.FEDERATION
