"""Sources that speak of numbers which aren't theirs: somebody is told, once an hour."""

from __future__ import annotations

from pathlib import Path

from engine.flow.trespassing import QUIET_SECONDS
from tests.support.group import Group, group, hl7, of_cha, of_chb


def told(it: Group) -> list[str]:
    return [sentence.split(" ")[1] for code, sentence in it.alerts if code == "E-ID-NOT-ASSERTED"]


def test_it_is_told_once_an_hour_a_source(tmp_path: Path) -> None:
    """What a source may say tells nothing; no value of a message is told."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7("A1", "A28", of_cha(1)))
        assert told(it) == []
        await it.send("gam_cha", *(hl7(f"A{n}", "A28", of_chb(n)) for n in range(2, 5)))
        await it.send("gam_chb", hl7("B1", "A28", of_cha(9)))
        assert told(it) == ["gam_cha", "gam_chb"]
        await it.rest(QUIET_SECONDS)
        await it.send("gam_cha", hl7("A6", "A28", of_chb(6)))
        assert told(it) == ["gam_cha", "gam_chb", "gam_cha"]
        assert not any(of_chb(6) in sentence for _, sentence in it.alerts)

    group(tmp_path, test)
