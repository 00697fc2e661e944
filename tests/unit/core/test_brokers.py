"""Addresses of MQTT brokers."""

from __future__ import annotations

import pytest

from engine.core.brokers import read_broker


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://broker", ("broker", 1883, False)),
        ("mqtts://broker", ("broker", 8883, True)),
        ("mqtts://[2001:db8::1]:18883/", ("2001:db8::1", 18883, True)),
    ],
)
def test_addresses(url: str, broker: tuple[str, int, bool]) -> None:
    """With the port that the scheme has unless another is written."""
    assert read_broker(url) == broker


@pytest.mark.parametrize(
    "url",
    ["", "broker:1883", "http://broker", "mqtt://", "mqtt://host:99999", "mqtt://host:0", "mqtt://[::1", "mqtt://host/x",
     "mqtt://host?x", "mqtt://user@host", "mqtt://:word@host"],
)  # fmt: skip
def test_none(url: str) -> None:
    """Also those with a name or a password in them."""
    assert read_broker(url) is None
