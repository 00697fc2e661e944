"""Codes of alerts: what the engine as a whole met."""

from __future__ import annotations

from typing import Final

from engine.operations.codes.meaning import Meaning

_STANDS: Final = "alert"

MEANINGS: Final = (
    Meaning(
        "E-FOLDER-AWAY", _STANDS,
        "The folder of a source is away, doesn't answer, or can't be read or written.",
        "Look whether the share is mounted and the account of Passerelle may write there; it goes on by itself.",
    ),
    Meaning(
        "E-FOLDER-BACK", _STANDS,
        "The folder of a source is back, or watched no more.",
        "Nothing.",
    ),
    Meaning(
        "E-STORE-SILENT", _STANDS,
        "The store has not answered for some seconds: nothing is taken into custody, and nothing leaves.",
        "Look at the disk and at the writer's process (`status` names it); when they are well, restart the service.",
    ),
    Meaning(
        "E-STORE-BACK", _STANDS,
        "The store answers again.",
        "Nothing.",
    ),
    Meaning(
        "E-DISK-FULL", _STANDS,
        "The disk of the data directory has too little room: nothing is received; when it is full, nothing leaves.",
        "Make room on that disk (df -h, `passerelle status` names it); all goes on by itself, nothing is lost.",
    ),
    Meaning(
        "E-DISK-ROOM", _STANDS,
        "There is room on the disk again.",
        "Nothing.",
    ),
    Meaning(
        "E-CLOCK-AHEAD", _STANDS,
        "The machine's clock went more than a day ahead while the engine ran: nothing is removed by age.",
        "Set the clock right (timedatectl). Where it is right, as after a machine that slept, restart the service.",
    ),
    Meaning(
        "E-CLOCK-BACK", _STANDS,
        "The machine's clock is right again.",
        "Nothing.",
    ),
    Meaning(
        "E-CONFIGURATION", _STANDS,
        "A configuration was offered and refused; the former one runs on.",
        "`passerelle lint` says what is wrong; correct routes.yaml and apply it again.",
    ),
    Meaning(
        "E-GONE-BACK", _STANDS,
        "A configuration was not confirmed in time, or had been gone back from: the former one runs.",
        "`passerelle config log` says which; correct routes.yaml, then `passerelle apply` and confirm.",
    ),
    Meaning(
        "E-ORPHANS", _STANDS,
        "Deliveries wait for a destination that the configuration has no more.",
        "Put the destination back, or say renamed_from: at its new name; then apply.",
    ),
)  # fmt: skip
