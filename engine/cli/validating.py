"""`passerelle msg validate`: compare the messages of a file with a profile."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from engine.cli.files import messages_of
from engine.cli.options import common_options, options
from engine.cli.printing import note, print_json, print_rows
from engine.errors import OperationRefused, ParseError

if TYPE_CHECKING:
    from engine.parsers.hl7v2.message import Message
    from engine.validation.findings import Finding
    from engine.validation.profile import Profile
    from engine.validation.validator import Validator

_COLUMNS: Final = ("severity", "path", "rule", "sentence")


@click.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--profile",
    default="",
    metavar="NAME|FILE",
    help="hl7-2.x, hl7-2.5, pam-fr-2.11…, or a file: YAML on top of one, or a conformance profile in XML.",
)
@click.option("--errors", is_flag=True, help="Show errors only.")
@common_options
def validate(*, file: Path, profile: str, errors: bool) -> None:
    """
    Compare the messages of FILE (`-`: stdin) with a profile: structure, fields, data types, tables.

    Without --profile: pam-fr-2.11 for French ADT, else HL7 in the version of MSH-12. Profiles are for HL7: of HPRIM
    it says how to compare what becomes of it. Exits with 1 when there is an error; warnings are none.
    """
    checker = Checker(profile)
    worst = 0
    for number, raw in enumerate(messages_of(file), 1):
        worst = max(worst, _validate(number, raw, checker, file, errors=errors))
    click.get_current_context().exit(worst)


class Checker:
    """Finds the profile for a message, and compares it; each profile is compiled once."""

    def __init__(self, profile: str = "") -> None:
        """
        Open a profile.

        Args:
            profile: A name or a file; empty: whichever fits a message.

        Raises:
            OperationRefused: There is none of that name; or the file can't be read (usage).
            ProfileRefused: The file has faults.
        """
        self._named: Profile | None = _named(profile) if profile else None
        self._validators: dict[str, Validator] = {}

    def profile_of(self, message: Message) -> Profile:
        """Return the profile for a message."""
        from engine.validation.shipped import fitting

        return self._named or fitting(message)

    def check(self, message: Message) -> Sequence[Finding]:
        """Compare one message."""
        from engine.validation.validator import Validator

        profile = self.profile_of(message)
        known = self._validators.get(profile.name)
        if known is None:
            known = self._validators[profile.name] = Validator(profile)
        return known.check(message)


def _named(name: str) -> Profile:
    from engine.validation.opening import open_profile
    from engine.validation.shipped import shipped, shipped_names

    found = shipped(name)
    if found is not None:
        return found
    path = Path(name)
    try:
        return open_profile(path.stem, path.read_bytes(), file=str(path))
    except FileNotFoundError:
        names = ", ".join(shipped_names())
        raise OperationRefused(f"'{name}' is neither a profile nor a file; there are {names}") from None
    except OSError as error:
        raise OperationRefused(f"'{name}' can't be read: {error.strerror}", exit_code=2) from None


def _opened(raw: bytes) -> Message:
    """
    Open a message for a profile.

    Raises:
        ParseError: It is no HL7 v2, or can't be read.
    """
    from engine.parsers.opening import open_message
    from engine.parsers.sniff import sniff

    format_ = sniff(raw)
    if format_.startswith("hprim"):
        raise ParseError(f"{format_}: profiles are for HL7 v2")
    if format_ == "unknown":
        raise ParseError("it is neither HL7 v2 nor HPRIM")
    return open_message(raw, "hl7v2")


def _then(raw: bytes, file: Path) -> str:
    """Say what can be asked of a message that no profile is for; empty: nothing else."""
    from engine.parsers.sniff import sniff

    name = shlex.quote(str(file))
    shown = f"`passerelle msg show {name}` prints what it holds"
    if sniff(raw) in ("hprim-sante", "hprim-medecin"):
        return f"{shown}; `passerelle convert {name} --to hl7 | passerelle msg validate -` compares what becomes of it"
    return shown


def _validate(number: int, raw: bytes, checker: Checker, file: Path, *, errors: bool) -> int:
    """Print what is found in one message; returns its exit code."""
    head = f"message {number}"
    try:
        message = _opened(raw)
    except ParseError as refused:
        then = _then(raw, file)
        if options().json:
            print_json({"message": number, "refused": refused.reason, "path": refused.location, "then": then})
        else:
            click.echo(f"{head}: {refused}")
            note(then)
        return 1
    profile, found = checker.profile_of(message), checker.check(message)
    count = sum(1 for finding in found if finding.severity == "error")
    shown = [finding for finding in found if finding.severity == "error" or not errors]
    if options().json:
        print_json(
            {"message": number, "control_id": message.header.control_id, "type": message.header.type,
             "profile": profile.name, "errors": count, "warnings": len(found) - count,
             "findings": [finding.as_json() for finding in shown]}
        )  # fmt: skip
        return int(count > 0)
    name = " ".join(filter(None, (head, message.header.control_id, message.header.type)))
    click.echo(f"{name}, against {profile.name}: {_counted(count, 'error')}, {_counted(len(found) - count, 'warning')}")
    if shown:
        print_rows([finding.as_json() for finding in shown], _COLUMNS)
    return int(count > 0)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
