"""The whole group against a listener that stands for the engine."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from engine.errors import OperationRefused
from engine.protocols.mllp import NEED_DATA, Block, MllpDecoder, frame
from engine.simulation.ght import UNITS, drop_file, simulate, units_of
from engine.simulation.writing import Outgoing
from tests.support.engine import free_port
from tests.support.mllp import Sender

from .conftest import build


async def _accept_all(taken, reader, writer):
    decoder = MllpDecoder(max_block_bytes=10**6)
    while data := await reader.read(65536):
        decoder.receive_data(data)
        while (event := decoder.next_event()) is not NEED_DATA:
            if isinstance(event, Block):
                taken.append(event.payload)
                writer.write(frame(b"MSH|^~\\&|\rMSA|AA|" + event.payload.split(b"|")[9] + b"\r"))
    writer.close()


def test_the_group_sends_everything_and_waits_for_its_answers(tmp_path):
    """Told = acknowledged + files; figures come once a second; nothing runs on after the end."""

    async def body():
        taken, said = [], []
        server = await asyncio.start_server(lambda r, w: _accept_all(taken, r, w), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        names = ("gam_cha", "gam_chb", "gam_chc", "lis_ght", "ris_ght")
        configuration = build(tmp_path, dict.fromkeys(names, port))
        async with asyncio.timeout(30):
            facts = await simulate(
                configuration, seed=4, rate=400, duration=0.7, dpi=False, plain=True, say=said.append
            )
        server.close()
        left = [
            task for task in asyncio.all_tasks() if task is not asyncio.current_task() and "accept" not in repr(task)
        ]
        return facts, taken, said, left

    facts, taken, said, left = asyncio.run(body())
    answered = sum(sender.get("AA", 0) for sender in facts["senders"].values())
    assert facts["told"] == answered + facts["files"] == len(taken) + facts["files"]
    assert facts["told"] > 100
    assert facts["unanswered"] == 0
    assert said[0]["v"] == 1
    assert not left


def test_the_dpi_alone_answers_somebody_elses_messages(tmp_path):
    """Nobody is played who sends; it listens until the time is over."""

    async def body():
        port = free_port()
        configuration = build(tmp_path, {}, dpi=port)
        playing = asyncio.ensure_future(simulate(configuration, senders=False, plain=True))
        async with asyncio.timeout(60):
            answer = b""
            while not answer:
                with contextlib.suppress(OSError):  # it isn't there yet
                    async with Sender.connected(port) as sender:
                        answer = await sender.ask(b"MSH|^~\\&|A|B|C|D|20260301||ADT^A01|7-0|P|2.5\rPID|1||7^^^A\r")
        playing.cancel()
        return answer, await asyncio.gather(playing, return_exceptions=True)

    answer, _ = asyncio.run(body())
    assert b"MSA|AA|7-0" in answer
    facts = asyncio.run(simulate(build(tmp_path, {}, dpi=free_port()), senders=False, plain=True, duration=0.01))
    assert (facts["told"], facts["senders"]) == (0, {})


@pytest.mark.parametrize(
    ("senders", "sentence"),
    [(True, "no source of routes.yaml is an admission system"), (False, "there is no DPI to simulate")],
)
def test_nobody_to_play_is_said(tmp_path, senders, sentence):
    """What is missing in routes.yaml, before anything listens."""
    configuration = replace(build(tmp_path, {}), sources={}, destinations={})
    with pytest.raises(OperationRefused, match=sentence):
        asyncio.run(simulate(configuration, senders=senders))


def test_a_dropped_file_is_never_seen_half_written(tmp_path):
    """Written under a hidden name, then renamed."""
    drop_file(tmp_path / "in", Outgoing("labo", "V1.hpr", "ORU", b"H|", "cha", "cha/1"))
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["V1.hpr"]
    drop_file(tmp_path / "in", Outgoing("labo", "V2.hpr", "ORU", b"H|", "cha", "cha/1", (("V2.PDF", b"%PDF"),)))
    assert (tmp_path / "in" / "V2.PDF").read_bytes() == b"%PDF"
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["V1.hpr", "V2.PDF", "V2.hpr"]


def test_units_come_from_the_table_of_the_routes(configuration, tmp_path):
    """So that the delivered table knows them; without a table a few codes serve."""
    assert units_of(configuration)("cha") == UNITS
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "uf_dpi.csv").write_text("#key: site,code\nsite,code,dpi\ncha,11,A\ncha,*,X\nchb,22,B\n")
    changed = replace(configuration, files=(str(tmp_path / "routes.yaml"),))
    units = units_of(changed)
    assert (units("cha"), units("chb"), units("chc")) == (("11",), ("22",), UNITS)
