"""Who may connect: known addresses, so many in all, so many from one address; who leaves makes room."""

from __future__ import annotations

import pytest

from engine.routes.configuration import Source
from engine.transports.admission import Admission


def admission(**values: object) -> Admission:
    return Admission(Source(name="gam", type="mllp", site="cha", **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "fine"),
    [("10.1.4.7", True), ("10.1.5.7", False), ("fe80::1%eth0", True), ("fe81::1", False), ("", False)],
)
def test_addresses(peer: str, fine: bool) -> None:
    """Networks of both families; a zone is no part of an address."""
    it = admission(allow=("10.1.4.0/24", "fe80::1"))
    for _ in range(2):
        assert (it.refusal(peer) == "") is fine


def test_one_peer_takes_not_all() -> None:
    """Beyond its share it is turned away, while others still come in; beyond all, everybody."""
    it = admission(max_connections=4, max_connections_per_peer=2)
    assert [it.refusal("10.0.0.1") for _ in range(3)] == ["", "", "too_many_of_one_peer"]
    assert [it.refusal("10.0.0.2") for _ in range(2)] == ["", ""]
    assert it.refusal("10.0.0.3") == "too_many_connections"
    it.left("10.0.0.1")
    assert it.refusal("10.0.0.3") == ""
    it.left("10.0.0.3")
    assert it.refusal("10.0.0.1") == ""


def test_addresses_that_left_are_forgotten() -> None:
    """However many come and go."""
    it = admission()
    for number in range(1000):
        assert it.refusal(str(number)) == ""
        it.left(str(number))
    assert not it._by_peer
