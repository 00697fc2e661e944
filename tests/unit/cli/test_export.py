"""`passerelle msg export --as-test`."""

from __future__ import annotations

from tests.support.custody import SECRETS


def test_one_message(passerelle, live):
    """To stdout, about nobody."""
    done = passerelle("msg", "export", "1", "--as-test")
    assert done.exit_code == 0, done.stderr
    assert done.stdout_bytes.startswith(b"MSH|")
    assert not [secret for secret in SECRETS if secret.encode() in done.stdout_bytes]
    assert "export" in passerelle("audit").stdout


def test_files(passerelle, live, tmp_path):
    """One a message, with a name for it; they lint as fixtures."""
    done = passerelle("msg", "export", "1", "--as-test", "--output", str(tmp_path / "out"))
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["adt_a01_1.hl7"]
    assert "read them before you pass them on" in done.stderr


def test_usage(passerelle, live):
    """Real bytes are for `msg raw`, with a reason."""
    assert "msg raw --reveal" in passerelle("msg", "export", "1").stderr
    done = passerelle("msg", "export", "1", "2", "--as-test")
    assert done.exit_code == 2
    assert "--output DIR" in done.stderr
