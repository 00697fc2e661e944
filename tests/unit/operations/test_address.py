"""Where the control socket lies, however deep."""

from __future__ import annotations

from pathlib import Path

from engine.operations.address import PATH_BYTES_MAX, SOCKET
from engine.operations.client import Client
from tests.support.custody import engine_in_thread


def test_a_path_longer_than_a_unix_socket_allows(tmp_path: Path) -> None:
    """Data directories are deep; the socket still lies inside."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    assert len(str(deep / SOCKET)) > PATH_BYTES_MAX
    with engine_in_thread(deep), Client(deep) as engine:
        assert engine.call("status")["engine"] == "running"
        assert (deep / SOCKET).is_socket()
