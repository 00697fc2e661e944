"""`passerelle schema write`."""

from __future__ import annotations

import json


def test_it_is_written_beside_routes_yaml(passerelle, data):
    """The first line that editors look for is told once, until it stands there."""
    first = passerelle("schema", "write")
    assert first.exit_code == 0
    assert "# yaml-language-server: $schema=routes.schema.json" in first.output
    made = json.loads((data.parent / "routes.schema.json").read_text(encoding="utf-8"))
    assert "sources" in made["properties"]
    tests = json.loads((data.parent / "routes_test.schema.json").read_text(encoding="utf-8"))
    assert list(tests["properties"]) == ["tests"]
    (data.parent / "routes.yaml").write_text(
        "# yaml-language-server: $schema=routes.schema.json\nversion: 1\n", encoding="utf-8"
    )
    assert "first line" not in passerelle("schema", "write").output


def test_to_stdout_or_to_a_file(passerelle, tmp_path):
    """The same text."""
    shown = passerelle("schema", "write", "-").output
    assert passerelle("schema", "write", str(tmp_path / "s.json")).exit_code == 0
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == shown
    assert passerelle("schema", "write", str(tmp_path / "nowhere" / "s.json")).exit_code == 69
