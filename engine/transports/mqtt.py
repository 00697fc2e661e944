"""
MqttDestination: each delivery is one publication (MQTT 3.1.1) to its topic, accepted at the broker's PUBACK.

Theory of operation: one connection under one fixed client id, made when something is to be sent and kept until it is
lost; up to `connections` publications wait for their acknowledgement on it. Each connection is a new client object:
what the library would resend by itself after a reconnection is forgotten, because the delivery stage does that, in
order and with its own history.

Session: kept by the broker over reconnections (clean session 0), except with QoS 2. There the broker remembers
packet ids that were not released; a client that counts from 1 again would meet one and see its new publication taken
for an old one (MQTT 3.1.1 § 4.3.3). A clean session turns that possible loss into a possible duplicate.

Warning: in MQTT 3.1.1 a broker that does not allow a publication may acknowledge it all the same (§ 3.3.5). Rights
on topics are to be verified with a subscriber once.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import aiomqtt
import aiomqtt.exceptions
import paho.mqtt.client as paho

from engine.core.brokers import BROKER_WANTED, read_broker
from engine.core.messages import Delivery
from engine.core.ports import Runtime, SendOutcome, SendResult
from engine.errors import DoorFailed
from engine.routes import configuration

KEEPALIVE_SECONDS: Final = 60
CLOSE_SECONDS: Final = 5.0
TOPIC_BYTES_MAX: Final = 65_535

_STOPPING: Final = "the engine is stopping"

Done = Callable[[Delivery, SendOutcome], None]
Step = tuple[str, bool, str]

# What the library would say stands in outcomes and facts; its lines may hold topics.
_SILENT: Final = logging.getLogger("passerelle.mqtt.library")
_SILENT.setLevel(logging.CRITICAL + 1)


class MqttDestination:
    """
    The destination side of a broker (core.ports.DestinationDoor).

    Args:
        destination: What routes.yaml says: url (`mqtt://host:1883`, `mqtts://host:8883`), qos, client_id, username,
            password, connections (publications under way), connect_timeout, ack_timeout.
        runtime: Coroutines, clock.

    Raises:
        DoorFailed: The url is none.
    """

    def __init__(self, destination: configuration.Destination, runtime: Runtime) -> None:
        self.capacity = destination.connections
        self._destination = destination
        self._runtime = runtime
        self._broker = _Broker(destination)
        self._queue: asyncio.Queue[tuple[Delivery, bytes, Done] | None] = asyncio.Queue()
        self._workers = 0
        self._stopped = asyncio.Event()
        self._link: _Link | None = None
        self._attempt: asyncio.Future[str] | None = None
        """A connection being made; resolves to a sentence, empty when it stands."""
        self._holding = False
        """A connection is being made, stands, or is on its way out."""
        self._closed = True
        self._under_way = 0
        self._connects = 0
        self._last_answer_ms = 0
        self._last_error = ""

    async def open(self) -> None:
        """Prepare; a broker that is away is no error here."""
        self._closed = False
        self._stopped.clear()
        for number in range(self.capacity):
            self._workers += 1
            self._runtime.spawn(self._work(), f"mqtt {self._destination.name} {number}")

    def send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        """Publish `data` on `delivery.target`; see core.ports.DestinationDoor."""
        if self._closed:
            outcome = SendOutcome(SendResult.NOT_SENT, reason=_STOPPING)
            self._runtime.call_soon(lambda: done(delivery, outcome))
            return
        self._under_way += 1
        self._queue.put_nowait((delivery, data, done))

    async def close(self) -> None:
        """Stop: what waits for the broker's acknowledgement ends as NO_ANSWER, what waits for a connection NOT_SENT."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._workers):
            self._queue.put_nowait(None)
        if self._attempt is not None and not self._attempt.done():
            self._attempt.set_result(_STOPPING)
        if self._link is not None:
            await self._link.leave()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), CLOSE_SECONDS)

    def facts(self) -> dict[str, Any]:
        """Return figures for status; no topic, no password."""
        return {
            "broker": self._broker.shown,
            "connected": self._link is not None,
            "connects": self._connects,
            "under_way": self._under_way,
            "last_answer_ms": self._last_answer_ms,
            "last_error": self._last_error,
        }

    async def probe(self) -> list[Step]:
        """Resolve the name, connect, shake hands (TLS), and say CONNECT under another client id; publish nothing."""
        return await self._broker.probe()

    # --- publications -------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Publish what `send` left, one at a time: `capacity` of these make the publications under way."""
        while (waiting := await self._queue.get()) is not None:
            delivery, data, done = waiting
            outcome = await self._publish(delivery.target, data)
            self._under_way -= 1
            if outcome.result is SendResult.ACCEPTED:
                self._last_answer_ms = self._runtime.now_ms()
                self._last_error = ""
            else:
                self._last_error = outcome.reason
            done(delivery, outcome)
        self._workers -= 1
        if self._workers == 0 and not self._holding:
            self._stopped.set()

    async def _publish(self, topic: str, data: bytes) -> SendOutcome:
        fault = topic_fault(topic)
        if fault:
            return SendOutcome(SendResult.NOT_SENT, reason=fault)
        link = self._link
        if link is None or link.broken:
            away = await self._connect()
            link = self._link
            if link is None or link.broken:
                return SendOutcome(SendResult.NOT_SENT, reason=away or "the connection was lost at once")
        return await link.publish(topic, data)

    # --- the connection -----------------------------------------------------------------------------------

    async def _connect(self) -> str:
        """Wait for a connection, at most `connect_timeout`; return a sentence when there is none."""
        seconds = self._destination.connect_timeout
        try:
            async with asyncio.timeout(seconds):
                if self._link is not None:
                    await self._link.gone.wait()
                if self._closed:
                    return _STOPPING
                if self._attempt is None:
                    self._begin()
                assert self._attempt is not None
                return await asyncio.shield(self._attempt)
        except TimeoutError:
            return f"{self._broker.shown} did not accept the connection within {seconds:g} s"

    def _begin(self) -> None:
        self._attempt = asyncio.get_running_loop().create_future()
        self._holding = True
        self._runtime.spawn(self._hold(self._attempt), f"mqtt {self._destination.name} connection")

    async def _hold(self, attempt: asyncio.Future[str]) -> None:
        """Make a connection and keep it until it is lost or left."""
        reason = ""
        try:
            session = await self._broker.session()
            try:
                async with session:
                    self._stand(session, attempt)
                    async for _ in session.messages:  # nothing is subscribed: it ends with the connection
                        pass
            finally:
                session.sever()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            reason = _in_words(error)
        finally:
            self._fall(attempt, f"{self._broker.shown}: {reason or 'the connection ended'}")

    def _stand(self, session: _Session, attempt: asyncio.Future[str]) -> None:
        if self._closed:
            session.sever()
            return
        self._connects += 1
        self._link = _Link(session, self._destination)
        self._attempt = None
        attempt.set_result("")

    def _fall(self, attempt: asyncio.Future[str], reason: str) -> None:
        link, self._link = self._link, None
        self._attempt = None
        self._holding = False
        if not self._closed:
            self._last_error = reason
        elif self._workers == 0:
            self._stopped.set()
        if not attempt.done():
            attempt.set_result(reason)
        if link is not None:
            link.lost(reason)
            link.gone.set()


class _Link:
    """A connection that stands, and the publications that wait on it for their acknowledgement."""

    def __init__(self, session: _Session, destination: configuration.Destination) -> None:
        self._session = session
        self._qos = destination.qos
        self._ack_timeout = destination.ack_timeout
        self._waiting: set[asyncio.Timeout] = set()
        self._reason = ""
        self.gone = asyncio.Event()
        """Nothing of it is left: another connection may take the client id."""

    @property
    def broken(self) -> bool:
        """It stands no more, or should not."""
        return bool(self._reason)

    async def publish(self, topic: str, data: bytes) -> SendOutcome:
        """Publish and wait for the acknowledgement (QoS 0: for the bytes to leave)."""
        try:
            async with asyncio.timeout(self._ack_timeout) as limit:
                self._waiting.add(limit)
                try:
                    await self._session.publish(topic, data, qos=self._qos, timeout=math.inf)
                finally:
                    self._waiting.discard(limit)
        except TimeoutError:
            return self._unanswered()
        except aiomqtt.MqttCodeError as error:
            left = error.rc != paho.MQTT_ERR_NO_CONN
            return SendOutcome(SendResult.NO_ANSWER if left else SendResult.NOT_SENT, reason=_in_words(error))
        except ValueError:
            # The library's own limits: nothing was queued.
            return SendOutcome(SendResult.NOT_SENT, reason="the message is longer than MQTT allows (268,435,455 bytes)")
        return SendOutcome(SendResult.ACCEPTED)

    def lost(self, reason: str) -> None:
        """End every publication that waits: the library would wait for ever."""
        self._reason = self._reason or reason
        now = asyncio.get_running_loop().time()
        for limit in self._waiting:
            if not limit.expired():
                limit.reschedule(now)

    async def leave(self) -> None:
        """End the publications under way, say DISCONNECT, close."""
        self.lost(_STOPPING)
        self._session.farewell()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), CLOSE_SECONDS)
        self._session.sever()

    def _unanswered(self) -> SendOutcome:
        if not self._reason:
            # A broker that is connected and silent: the next attempt gets a new connection.
            self._reason = f"no acknowledgement within {self._ack_timeout:g} s"
            self._session.sever()
        return SendOutcome(SendResult.NO_ANSWER, reason=self._reason)


class _Session(aiomqtt.Client):
    """
    aiomqtt's client with three things that it keeps to itself: the TCP timeout, and two ends.

    Work-around for aiomqtt 2.5: it asks the loop to watch a file descriptor a turn later, when a lost connection
    may be closed and its number belong to somebody else's file. Ours looks first. Goes when theirs does.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turns = asyncio.get_running_loop()
        self._client.on_socket_register_write = self._wants_to_write

    def _wants_to_write(self, client: paho.Client, _: object, connection: paho.SocketLike) -> None:
        # May come from the thread that connects.
        self._turns.call_soon_threadsafe(self._watch_writing, client, connection)

    def _watch_writing(self, client: paho.Client, connection: paho.SocketLike) -> None:
        if client.socket() is connection:
            self._turns.add_writer(connection.fileno(), client.loop_write)

    def limit_connect(self, seconds: float) -> None:
        """Bound the TCP connection and the TLS handshake, which run in a thread (5 s unless told)."""
        self._client.connect_timeout = seconds

    def farewell(self) -> None:
        """Say DISCONNECT; the connection ends when it has left."""
        self._client.disconnect()

    def sever(self) -> None:
        """
        Shut the socket, if there is one; the library then ends as if the peer had closed.

        Needed when CONNECT was not answered: the library raises, and leaves the socket and its timers behind.
        """
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails: the library drops it as it is, once an attempt."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except (OSError, ValueError):
            self.close()
            raise


class _Broker:
    """Where the broker is and how one talks to it."""

    def __init__(self, destination: configuration.Destination) -> None:
        broker = read_broker(destination.url)
        if broker is None:
            raise DoorFailed(f"destination {destination.name}: this is no broker's address; {BROKER_WANTED}")
        self._host, self._port, self._secure = broker
        self._destination = destination
        self._client_id = destination.client_id or f"passerelle-{destination.name}"
        self._tls: ssl.SSLContext | None = None
        self.shown = f"{self._host}:{self._port}"

    async def session(self, *, probe: bool = False) -> _Session:
        """Return a client that is not connected yet; a probe's has an id and a session of its own."""
        await self._load_authorities()
        destination = self._destination
        session = _Session(
            self._host,
            self._port,
            username=destination.username or None,
            password=destination.password or None,
            logger=_SILENT,
            identifier=f"{self._client_id}-probe" if probe else self._client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=probe or destination.qos == 2,
            timeout=destination.connect_timeout,
            keepalive=KEEPALIVE_SECONDS,
            max_inflight_messages=destination.connections,
            tls_context=self._tls,
        )
        session.pending_calls_threshold = destination.connections
        session.limit_connect(destination.connect_timeout)
        return session

    async def probe(self) -> list[Step]:
        """Go through the steps of a connection; the first that fails is the last."""
        steps: list[Step] = []
        for name, step in (
            ("name", self._resolve),
            ("connection", self._reach),
            ("tls", self._shake_hands),
            ("mqtt", self._say_connect),
        ):
            try:
                async with asyncio.timeout(self._destination.connect_timeout):
                    sentence = await step()
            except TimeoutError:
                sentence = f"no answer within {self._destination.connect_timeout:g} s"
                return [*steps, (name, False, sentence)]
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                return [*steps, (name, False, _in_words(error))]
            if sentence:
                steps.append((name, True, sentence))
        return steps

    async def _resolve(self) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        return f"{self._host} is {', '.join(sorted({str(address[4][0]) for address in found}))}"

    async def _reach(self) -> str:
        _, writer = await asyncio.open_connection(self._host, self._port)
        await _close(writer)
        return f"{self.shown} accepts connections"

    async def _shake_hands(self) -> str:
        if not self._secure:
            return ""
        await self._load_authorities()
        _, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        version = writer.get_extra_info("ssl_object").version()
        await _close(writer)
        return f"the certificate is valid for {self._host} ({version})"

    async def _say_connect(self) -> str:
        session = await self.session(probe=True)
        try:
            async with session:
                return "the broker accepts the client (CONNACK)"
        finally:
            session.sever()

    async def _load_authorities(self) -> None:
        """Load the system's authorities once, in a thread: it reads files for some ten milliseconds."""
        if self._secure and self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
            self._tls.sslsocket_class = _ClosingSocket


def topic_fault(topic: str) -> str:
    """Return a sentence when nothing can be published on a topic (MQTT 3.1.1 § 3.3.2.1, § 4.7), else empty."""
    if not topic:
        return "the topic is empty"
    if "+" in topic or "#" in topic:
        return "the topic holds a wildcard (+ or #): it must name one topic"
    if "\0" in topic or len(topic.encode("utf-8", "replace")) > TOPIC_BYTES_MAX:
        return f"the topic holds a NUL character or is longer than {TOPIC_BYTES_MAX} bytes"
    if topic.startswith("$"):
        return "topics that begin with $ belong to the broker"
    return ""


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _in_words(error: Exception) -> str:
    """Return a library's or the system's error as a clause; they hold addresses and codes, never a message."""
    if isinstance(error, aiomqtt.exceptions.MqttConnectError):
        return f"the broker refused the client: {error}"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or type(error).__name__).lower()
    cause = error.__cause__
    return f"{error}: {cause}" if cause is not None else str(error)
