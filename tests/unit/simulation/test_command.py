"""`passerelle simulate`, without an engine."""

import json

import pytest

from engine.errors import OperationRefused
from engine.simulation import command
from engine.simulation.command import simulate_main

from .conftest import build


@pytest.fixture
def _no_file(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "load", lambda path, environment: build(tmp_path, {}))


@pytest.mark.usefixtures("_no_file")
def test_a_script_of_moods_that_says_nothing_is_a_usage_error():
    """Exit code 2 and a sentence that says what to write."""
    with pytest.raises(OperationRefused, match="ok 20") as refused:
        simulate_main(["--moods", "sad"])
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--rate", "fast"], ["--dance"], ["--only-dpi", "--no-dpi"]])
def test_wrong_options_are_usage_errors(arguments, capsys):
    """argparse says which."""
    with pytest.raises(SystemExit) as ended:
        simulate_main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.usefixtures("_no_file")
def test_figures_are_one_json_object_a_line(capsys, monkeypatch):
    """At least one while it runs and one at the end; 1 when the engine refused something."""

    async def play(configuration, *, say, **_):
        figures = {"v": 1, "told": 3, "unanswered": 0, "senders": {"gam_cha": {"AA": 2, "AE": 1}}, "dpi": None}
        say(figures)
        return figures

    monkeypatch.setattr(command, "simulate", play)
    assert simulate_main(["--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["told"] for line in lines] == [3, 3]
    assert simulate_main([]) == 1
    assert capsys.readouterr().out.startswith("sent 3, without an answer yet 0, refused 1; the DPI accepted 0")
