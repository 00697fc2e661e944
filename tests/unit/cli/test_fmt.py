"""`passerelle fmt`."""

from __future__ import annotations

import pytest

MESSY = "version:   1\ninclude: [more.yaml]\n"


@pytest.fixture
def files(data):
    root = data.parent
    (root / "routes.yaml").write_text(MESSY)
    (root / "more.yaml").write_text("steps:\n    a:\n    -   set: { PID-3[@ipp].1: x }\n")
    return root


def test_routes_and_what_it_includes(passerelle, files):
    """In place; the second time there is nothing to do."""
    done = passerelle("fmt")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("laid out anew") == 2
    assert (files / "routes.yaml").read_text() == "version: 1\ninclude: [more.yaml]\n"
    assert (files / "more.yaml").read_text() == "steps:\n  a:\n    - set:\n        PID-3[@ipp].1: x\n"
    assert passerelle("fmt").stdout == ""
    assert [path.name for path in files.iterdir() if path.name.endswith(".new")] == []


def test_check_and_diff_change_nothing(passerelle, files):
    """Exit code 1 says that there is something to do."""
    done = passerelle("fmt", "--check")
    assert done.exit_code == 1
    assert "would be laid out anew" in done.stdout
    shown = passerelle("fmt", "--diff")
    assert shown.exit_code == 0
    assert "-version:   1\n+version: 1" in shown.stdout
    assert (files / "routes.yaml").read_text() == MESSY


def test_stdin(passerelle):
    """As editors call it."""
    assert passerelle("fmt", "-", input="a:    b\n").stdout == "a: b\n"


@pytest.mark.parametrize(("data_", "code"), [(b"a: [b\n", 78), (b"a: \xe9\n", 78)])
def test_refused(passerelle, files, data_, code):
    """Nothing is changed, and that is said."""
    (files / "x.yaml").write_bytes(data_)
    done = passerelle("fmt", str(files / "x.yaml"))
    assert done.exit_code == code
    assert "nothing was changed" in done.stderr
    assert (files / "x.yaml").read_bytes() == data_
    assert passerelle("fmt", str(files / "none.yaml")).exit_code == 2
