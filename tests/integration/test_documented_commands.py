"""
Every command line that the README and the pages for operators and analysts show, typed into a running engine.

Each ends with 0 unless the page, or the list below, says otherwise; where a page shows the output, ours has its shape.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli import acting, asking
from engine.cli.group import passerelle as root
from engine.simulation.bus import Bus
from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.mllp import Receiver, Sender, field_of, plain_ack, receiver
from tests.support.officers import HEADER, ROWS
from tests.support.until import until

ROOT = Path(__file__).resolve().parents[2]
ROUTES_PAGES = sorted((ROOT / "docs" / "routes").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "operators").glob("*.md")), *ROUTES_PAGES]
FIXTURES = "tests/fixtures/messages"

PROFILE = "extends: hl7-2.5\nlabel: what the DPI wants\n"
AWAY = "away"
AWAY_DECLARED = "{{ type: mllp, connect: 127.0.0.1:{}, production: no, contact: {{ name: DPI support, phone: 5555 }} }}"
"""A destination that nobody listens for: what a page shows of one that fails is asked of this one."""
CODES = {
    "status": 1,  # degraded: two dead deliveries park their lanes
    "plan --shadow 2000": 1,  # it differs: the page says so
    "plan": 1,  # gone back, and the file still says the other
    "config diff": 1,
    "send admission.hl7 127.0.0.1:6101": 1,  # one of the two is refused: the page shows it
}
"""Exit codes other than 0; `probe` says FAIL on its page, and then 1 is meant."""
NOT_TYPED = re.compile(
    r"run\b|simulate|status --watch"  # until Ctrl-C: tests/integration/test_demo.py, test_status.py
    r"|(db|docs|fmt|init|convert|test|identity)$|.*(NAME|NUMBER|HASH|FILE|\bID\b|DEST|DIR\b|ROUTE|HOST|G\.…)"  # prose
    r"|msg (validate|export --as-test)$|(dead retry|rollback|apply|confirm|try|try --message)$"
    r"|identity (find|show|history|link|unlink|apart|undo|impact|import|next-number)$"
)
"""Words inside a sentence that are no whole command line, or one that doesn't end by itself."""


@dataclass
class Typed:
    """One command line of a page."""

    page: str
    line: str
    shown: list[str] = field(default_factory=list)
    """What the page shows below it."""


def lines_of(page: Path) -> Iterator[Typed]:
    """Read the command lines of a page: those of its blocks with what stands below, then those of its sentences."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL):
        last: Typed | None = None
        for line in block.splitlines():
            if line.startswith("passerelle "):
                if last is not None:
                    yield last
                last = Typed(page.name, line.split("  #")[0].removeprefix("passerelle ").strip())
            elif last is not None and line.strip():
                last.shown.append(line)
        if last is not None:
            yield last
    for words in dict.fromkeys(re.findall(r"`passerelle ([^`\n]+)`", text)):
        yield Typed(page.name, words)


def adt(control_id: str, patient: str) -> bytes:
    """Return an admission of the example's first hospital."""
    return (
        f"MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|{control_id}|P|2.5\rEVN||20260102030405\r"
        f"PID|1||{patient}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TEST^HELENE||19850712|F\rPV1|1|I|1010^1^2\r"
    ).encode()


def refuse_some(message: bytes) -> bytes:
    """Answer as a DPI that doesn't know two of the patients."""
    if b"DEAD" in message:
        return plain_ack(message, "AE", "204^Unknown key identifier^HL70357")
    return plain_ack(message)


class House:
    """A running engine with the delivered routes.yaml, its own ports, and a folder in which commands are typed."""

    def __init__(self, engine: RunningEngine, folder: Path, port: int, dpi: Receiver) -> None:
        self.engine, self.folder, self.port, self.dpi = engine, folder, port, dpi
        self.words: dict[str, str] = {}
        """What a page calls its messages, and what they are called here."""

    async def fill(self) -> None:
        """Send what the pages speak of: a message that is delivered, two that are dead, one that is refused."""
        await self.engine.call("identity_import", columns=HEADER, rows=ROWS, reason="take-over")
        async with Sender.connected(self.port) as gam:
            for control_id, patient in (("123456", "900001"), ("DEAD1", "900002"), ("DEAD2", "900003")):
                assert field_of(await gam.ask(adt(control_id, f"{patient}")), b"MSA", 1) == "AA"
            await gam.ask(b"no message")
        await self.engine.settled(delivered=1, dead=2)
        dead = (await self.engine.call("dead_list"))["rows"]
        group = dead[0]["group"]
        self.words = {
            "48211-0": dead[0]["id"], "48215-0": dead[1]["id"], "48211": dead[0]["message"],
            "48215": dead[1]["message"], "48230": "1", "G.4F2A11": group, "--expect 41": "--expect 2",
            "127.0.0.1:6101": f"127.0.0.1:{self.port}",
            "unlink 17": "unlink 3", "17": "1", "23": "2",
        }  # fmt: skip

    async def type(self, typed: Typed) -> Result:
        """Type it, answering yes to every question; what it set going has ended when this returns."""
        line = typed.line
        decisions = (await self.engine.call("identity_history"))["rows"]
        self.words["31"] = next((one["id"] for one in decisions if one["rule"] == "link"), "31")
        for written, here in self.words.items():
            line = re.sub(rf"(?<![\w-]){re.escape(written)}(?![\w-])", here, line)
        words, given = redirected(shlex.split(line))
        if words[0] == "init":
            words += ["--routes", "new.yaml"]
        if any(line.startswith("FAIL") for line in typed.shown):
            words[-1] = AWAY
        asked = b"900001\n" if "find" in words else b"900303\ny\n" if "--another-person" in words else b"y\ny\n"
        answers = asked if given is None else given
        result = await asyncio.to_thread(CliRunner().invoke, root, words, input=answers)
        if line.startswith(("dead", "send")):
            await self.still()
        return result

    async def still(self) -> None:
        """Wait until nothing is under way: what died again is dead again."""

        async def nothing_moves() -> bool:
            return not {"received", "waiting"} & set(await self.engine.states())

        await until(nothing_moves)

    def change(self) -> None:
        """Edit routes.yaml, as somebody has before `plan` and `apply`."""
        file = self.folder / "routes.yaml"
        file.write_text(file.read_text("utf-8").replace("label: CH d'Arvigny", "label: CH d'Arvigny (2)"), "utf-8")


def redirected(words: list[str]) -> tuple[list[str], bytes | None]:
    """Do what a shell does with `> file` and `< file`."""
    given = None
    for sign in ("<", ">"):
        if sign in words:
            index = words.index(sign)
            given = Path(words[index + 1]).read_bytes() if sign == "<" else given
            words = words[:index] + words[index + 2 :]
    return words, given


def shape(line: str) -> str:
    """Return what two outputs of one command have in common: hosts, numbers and what a bracket says are any."""
    line = re.sub(r"\([^)]*\)$", "(…)", line.strip())
    line = re.sub(r"\b[\w-]+(\.[\w-]+)+\b", "HOST", line)
    return re.sub(r"\d+", "9", re.sub(r"\s+", " ", line))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands are typed: the delivered example, its tables and fixtures, and the files that pages name."""
    shutil.copytree(ROOT / "tables", tmp_path / "tables")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    for name in (FIXTURES, "tests/routes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "dpi.yaml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "admission.hl7").write_bytes(adt("C1", "900010") + adt("", "900011"))
    (tmp_path / "mpi.csv").write_text("number,authority,value\nMPI-1,cha/ipp,905101\n", encoding="utf-8")
    (tmp_path / "number.txt").write_bytes(b"900077\n")
    shutil.copy(ROOT / FIXTURES / "labo_h21.hpr", tmp_path / "LAB001.HPR")
    (tmp_path / "retour").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSERELLE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PASSERELLE_ROUTES", str(tmp_path / "routes.yaml"))
    for module in (acting, asking):
        monkeypatch.setattr(module, "interactive", lambda: True)
    return tmp_path


@contextlib.asynccontextmanager
async def events() -> AsyncIterator[Bus]:
    """The bus of events of the example."""
    bus = Bus("127.0.0.1", 0)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def type_all(folder: Path) -> list[str]:
    """Type every line of every page; return what is wrong."""
    wrong: list[str] = []
    ports = {str(number): free_port() for number in (6101, 6102, 6103, 6110, 6111)}
    async with receiver(refuse_some) as dpi, events() as bus:
        routes = (ROOT / "routes.yaml").read_text("utf-8").replace("127.0.0.1:5500", f"127.0.0.1:{dpi.port}")
        routes = routes.replace("127.0.0.1:5883", f"127.0.0.1:{bus.port}")
        for number, port in ports.items():
            routes = routes.replace(f"127.0.0.1:{number}", f"127.0.0.1:{port}")
        routes = routes.replace("destinations:\n", f"destinations:\n  {AWAY}: {AWAY_DECLARED.format(free_port())}\n")
        routes = routes.replace("encode: { charset: UTF-8, control_id: own }", "encode: { control_id: as_received }")
        async with running_engine(routes, folder) as engine:
            house = House(engine, folder, ports["6101"], dpi)
            await house.fill()
            for page in PAGES:
                if page.name == "configuration.md":
                    house.change()
                for typed in lines_of(page):
                    if not NOT_TYPED.match(typed.line):
                        wrong += judge(typed, await house.type(typed))
    return wrong


def judge(typed: Typed, result: Result) -> list[str]:
    """Compare one result with its page."""
    failing = any(line.startswith("FAIL") for line in typed.shown)
    code = CODES.get(typed.line, int(failing))
    where = f"{typed.page}: passerelle {typed.line}"
    if result.exit_code != code:
        return [f"{where}: exit code {result.exit_code}, not {code}: {result.output.strip()[-300:]}"]
    got = {shape(line) for line in result.output.splitlines()}
    return [f"{where}: no line like '{line}' in {sorted(got)}" for line in typed.shown if shape(line) not in got]


def test_every_command_line_of_the_pages(folder: Path) -> None:
    """What an operator copies from a page does what the page says."""
    assert not (wrong := asyncio.run(type_all(folder))), "\n".join(wrong)


def test_the_pages_are_read() -> None:
    """Some of each kind, so that nothing passes because nothing was found."""
    found = [typed for page in PAGES for typed in lines_of(page) if not NOT_TYPED.match(typed.line)]
    assert len(found) > 60
    assert any(typed.shown for typed in found)
    silent = {"retention.md", "control-socket.md"} | {page.name for page in ROUTES_PAGES}
    assert {typed.page for typed in found} >= {page.name for page in PAGES} - silent
    assert {typed.page for typed in found} >= {"profiles.md", "tables.md", "tests.md"}
