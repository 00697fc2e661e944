"""An address is tried before anything begins."""

from __future__ import annotations

import asyncio
import socket

import pytest

from engine.errors import DoorFailed
from engine.routes.configuration import Source
from engine.transports.addresses import require_free
from tests.support.engine import free_port


def tried(host: str, port: int) -> None:
    asyncio.run(require_free(Source(name="gam", type="mllp", site="cha", host=host, port=port)))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_free_address(host: str) -> None:
    """Stays free."""
    port = free_port()
    tried(host, port)
    tried(host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_an_address_in_use(host: str) -> None:
    """Whose, why, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DoorFailed) as refused:
            tried(host, port)
    sentence = f"source gam: can't listen on {host}:{port}: address already in use; stop the program that uses it"
    assert str(refused.value).startswith(sentence)
    tried(host, port)


def test_an_address_that_is_not_ours() -> None:
    """Another machine's (RFC 5737)."""
    with pytest.raises(DoorFailed, match="cannot assign requested address"):
        tried("192.0.2.1", 6101)


def test_a_connection_that_just_ended_keeps_no_address() -> None:
    """TIME_WAIT is no obstacle: a restart would fail for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as former:
        port = former.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), former.accept()[0] as accepted:
            accepted.shutdown(socket.SHUT_WR)
    tried("127.0.0.1", port)
