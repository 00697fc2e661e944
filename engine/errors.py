"""
Errors of Passerelle. Each says what happened, where, and what to do next; none holds a patient value.

    PasserelleError
    ├── ConfigurationRefused     routes.yaml has findings                                exit 78
    ├── ProfileRefused           a profile of validation has faults                      exit 78
    ├── StoreError               the change was not stored
    │   ├── StoreUnavailable     disk full, I/O error, busy: nothing can be stored now    exit 69
    │   │   └── StoreBroken      a defect ended the store's writer: the engine stops      exit 1
    │   ├── StoreLocked          another process owns the data directory                 exit 75
    │   └── ChangeRefused        this change alone is wrong (an illegal transition, a wrong expectation)
    ├── ParseError               these bytes are no message of the expected format
    ├── PathError                this text is no path
    ├── StepFailed               a step of a route can't do its work on this message
    ├── DoorFailed               a listener or a directory can't be opened               exit 69
    └── OperationRefused         an operator's request that can't be carried out         exit 1
"""

from __future__ import annotations


def where(error: BaseException) -> str:
    """
    Return type and place of an exception: `ValueError at encoding.py:84`.

    Never its text, which may hold a value of a message.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"


class PasserelleError(Exception):
    """
    Root of all errors that Passerelle raises on purpose.

    The sentence is complete: it is what an operator reads, with no stack beside it.
    """

    exit_code = 1


class ConfigurationRefused(PasserelleError):
    """The configuration has errors; the running one, if any, stays."""

    exit_code = 78


class ProfileRefused(PasserelleError):
    """
    A profile of validation that can't be used.

    Attributes:
        file: Its name.
        faults: Every fault, `file:line: sentence`.
    """

    exit_code = 78

    def __init__(self, file: str, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.file = file
        self.faults = faults


class StoreError(PasserelleError):
    """A change was not stored. The stage concerned drops its memory and reads the store again."""


class StoreUnavailable(StoreError):
    """Nothing can be stored at the moment (disk full, I/O error, lock of another process)."""

    exit_code = 69


class StoreBroken(StoreUnavailable):
    """A defect of ours ended the store's writer: nothing is stored until the next start."""

    exit_code = 1


class StoreLocked(StoreError):
    """Another process owns the data directory."""

    exit_code = 75


class ChangeRefused(StoreError):
    """One change breaks a rule (illegal transition, wrong expectation); its neighbours were stored."""


class ParseError(PasserelleError):
    """
    Bytes that are no message of the expected format.

    Attributes:
        reason: A sentence without any value of the message.
        location: Where, as a path (`MSH-10`), or empty.
        error_code: The code of table 0357 that an acknowledgement gives (100, 101, 102…).
    """

    def __init__(self, reason: str, *, location: str = "", error_code: int = 100) -> None:
        super().__init__(f"{location}: {reason}" if location else reason)
        self.reason = reason
        self.location = location
        self.error_code = error_code


class PathError(PasserelleError):
    """
    A text that is no path.

    Attributes:
        column: Where in the text, from 0.
        hint: What to write.
    """

    def __init__(self, reason: str, *, column: int = 0, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.hint = hint


class StepFailed(PasserelleError):
    """
    A step that can't do its work on this message: the route stops for it.

    Attributes:
        code: The code of the failure (`E-MAP-MISS`), by which dead letters are grouped.
        field: The path concerned, as written in the route.
        reason: A sentence without any value of the message.
    """

    tolerable = True
    """Whether `on_error: keep` of the step may go on without it."""

    def __init__(self, code: str, reason: str, *, field: str = "") -> None:
        super().__init__(f"{code} {field}: {reason}" if field else f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.field = field


class DoorFailed(PasserelleError):
    """A listener, a directory or a client can't be opened."""

    exit_code = 69


class OperationRefused(PasserelleError):
    """
    An operator's request that can't be carried out.

    Attributes:
        exit_code: As OPERATIONS: 1 a negative answer, 2 usage, 3 `--expect` not met, 77 not allowed.
    """

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
