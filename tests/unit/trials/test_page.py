"""docs/routes/tests.md: its tests pass on the delivered routes.yaml."""

from __future__ import annotations

import pathlib
import re
import shutil

from engine.routes import check
from engine.trials.judging import judge
from engine.trials.running import run_case

ROOT = pathlib.Path(__file__).parents[3]


def test_the_examples_pass(tmp_path):
    """As they are written; lint has nothing to say of them."""
    page = (ROOT / "docs" / "routes" / "tests.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```yaml\n(.*?)\n```", page, re.DOTALL)
    (tmp_path / "page_test.yaml").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "routes.yaml", tmp_path)
    for folder in ("tables", "templates", "tests/fixtures/messages"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(ROOT / "tests" / "fixtures" / "messages", tmp_path / "messages")
    configuration, findings = check(tmp_path / "routes.yaml", environment={}, tests=[tmp_path / "page_test.yaml"])
    assert configuration is not None, [one.render() for one in findings]
    assert [one.render() for one in findings if one.mark.file == "page_test.yaml"] == []
    assert len(configuration.cases) >= 4
    for case in configuration.cases:
        if case.mark.file == "page_test.yaml":
            assert judge(case, run_case(configuration, case)) == [], case.name
