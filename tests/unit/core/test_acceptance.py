"""Chapter 2's acknowledgement modes, restated as a table."""

from __future__ import annotations

import pytest

from engine.core.acceptance import Acceptance, application_code, commit_code

ACCEPTED, ERROR, REJECTED = Acceptance.ACCEPTED, Acceptance.ERROR, Acceptance.REJECTED


@pytest.mark.parametrize(
    ("accept_ack", "application_ack", "acceptance", "commit", "application"),
    [
        ("", "", ACCEPTED, None, "AA"),
        ("", "", ERROR, None, "AE"),
        ("", "", REJECTED, None, "AR"),
        ("AL", "AL", ACCEPTED, "CA", "AA"),
        ("AL", "AL", ERROR, "CE", None),
        ("AL", "AL", REJECTED, "CR", None),
        ("AL", "NE", ACCEPTED, "CA", None),
        ("NE", "NE", ACCEPTED, None, None),
        ("NE", "NE", REJECTED, None, None),
        ("NE", "AL", ACCEPTED, None, "AA"),
        ("NE", "AL", REJECTED, None, "AR"),
        ("ER", "SU", ACCEPTED, None, "AA"),
        ("ER", "SU", ERROR, "CE", None),
        ("SU", "ER", ACCEPTED, "CA", None),
        ("SU", "ER", ERROR, None, "AE"),
        ("AL", "", ACCEPTED, "CA", None),
        ("", "AL", ACCEPTED, None, "AA"),
        ("XX", "YY", ACCEPTED, None, "AA"),
        ("XX", "NE", ACCEPTED, None, None),
    ],
)
def test_answers(
    accept_ack: str, application_ack: str, acceptance: Acceptance, commit: str | None, application: str | None
) -> None:
    """MSH-15 rules the commit acknowledgement, MSH-16 the application acknowledgement."""
    assert commit_code(accept_ack, application_ack, acceptance) == commit
    assert application_code(accept_ack, application_ack, acceptance) == application
