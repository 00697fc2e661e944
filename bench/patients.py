"""The measured routes with `normalise_identity` in place of `normalise_authorities`, beside the same without."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_STEP: Final = "- normalise_authorities: { on_unknown: keep }"
_OTHER: Final = "- normalise_identity: { on_unknown: mint, on_conflict: dead_letter }"
_SECTION: Final = """group: { authorities: { ipp: { oid: 1.2.250.1.999.1.1, hd1: BENCH-GHT, type: PN } } }
identity: { registry: own, number: { prefix: G } }
"""


def identity_routes(directory: Path) -> Path:
    """Write the routes that know patients, with their tables; return the file."""
    plain = (_HERE / "routes.yaml").read_text(encoding="utf-8")
    assert _STEP in plain, "the measured route has the step that this one replaces"
    text = plain.replace("version: 1\n", f"version: 1\n{_SECTION}", 1).replace(_STEP, _OTHER)
    shutil.copytree(_HERE / "tables", directory / "tables", dirs_exist_ok=True)
    file = directory / "identity.yaml"
    file.write_text(text, encoding="utf-8")
    return file
