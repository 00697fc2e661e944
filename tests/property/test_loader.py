"""Whatever stands in routes.yaml, it loads or says what is wrong."""

from __future__ import annotations

import pathlib

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.routes import check
from engine.routes.document import read_document
from engine.routes.findings import Findings, lines_of, render

ROOT = pathlib.Path(__file__).parents[2]
DELIVERED = (ROOT / "routes.yaml").read_text(encoding="utf-8")
LINES = DELIVERED.splitlines()
GOLDEN = [
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests" / "unit" / "routes" / "golden").glob("*.yaml"))
    if not path.stem.startswith("E108")
]
WORDS = st.sampled_from(
    ["{", "}", "[", "]", ":", "- ", "#", '"', "'", "${", "{PID-3", "PID-3[", "[@ipp]", "&a", "*a", "<<", "!x", "\t",
     "  ", "\n", "use: x", "with: { }", "when: ", "and ", "or ", "== ", "in [", "é", "\u2028", "0", "é: [", "? "]
)  # fmt: skip


def looked_at(folder: pathlib.Path, text: str) -> None:
    """Load a text; findings stand inside it, and can be shown."""
    (folder / "routes.yaml").write_text(text, encoding="utf-8", newline="")
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "uf_dpi.csv").write_text("#key: site,code\nsite,code,dpi\ncha,1,A\n", encoding="utf-8")
    configuration, findings = check(folder / "routes.yaml", environment={}, tests=[])
    assert (configuration is None) is any(one.level == "error" for one in findings)
    lines = lines_of(text)
    for one in findings:
        if one.mark.file == "routes.yaml":
            assert 1 <= one.mark.line <= len(lines) + 1
            assert one.mark.column >= 1
            assert one.mark.width >= 1
    assert render(findings)


@given(st.integers(0, len(DELIVERED)), st.integers(0, 30), WORDS)
@settings(max_examples=60, deadline=None)
def test_a_slip_in_the_delivered_file(tmp_path_factory, position, gone, word):
    """A few characters lost, or one word too much, anywhere."""
    looked_at(tmp_path_factory.mktemp("slip"), DELIVERED[:position] + word + DELIVERED[position + gone :])


@given(st.lists(st.integers(0, len(LINES) - 1), min_size=1, max_size=6), st.integers(-3, 3))
@settings(max_examples=40, deadline=None)
def test_lines_moved(tmp_path_factory, numbers, indent):
    """Lines that went elsewhere, further left or right."""
    lines = LINES.copy()
    for number in numbers:
        line = lines.pop(number % len(lines))
        lines.insert((number * 7) % (len(lines) + 1), " " * max(0, indent) + line[max(0, -indent) :])
    looked_at(tmp_path_factory.mktemp("lines"), "\n".join(lines) + "\n")


@given(st.sampled_from(GOLDEN), st.sampled_from(GOLDEN), st.data())
@settings(max_examples=40, deadline=None)
def test_two_files_spliced(tmp_path_factory, one, other, data):
    """The beginning of a wrong file and the end of another."""
    cut, on = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    looked_at(tmp_path_factory.mktemp("spliced"), one[:cut] + other[on:])


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80) | st.lists(WORDS, max_size=30).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_text(text):
    """Nodes, or a finding."""
    findings = Findings()
    document = read_document("r.yaml", text, findings)
    assert document is not None or findings.refused
