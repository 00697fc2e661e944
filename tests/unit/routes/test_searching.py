"""Keys are indexed and looked for under the same hashes."""

from __future__ import annotations

from engine.routes.evaluation import evaluate
from engine.routes.searching import search_hashes

RAW = b"MSH|^~\\&|A|000000026|C|D|20260301||ADT^A01|9|P|2.5\rPID|1||111||DOE^JANE||1984|F\rPV1|1|I|1010\r"


def test_search_keys(small, references, stored):
    """Declared keys and the control id are found again under the hashes that `find` makes."""
    configuration = small("routes:\n  r:\n    from: [gam]\n    to: [dpi]\n")
    decision = evaluate(configuration, stored(RAW, "gam"), references)
    assert set(search_hashes(configuration, references, "ipp", "111")) & set(decision.keys)
    assert search_hashes(configuration, references, "control", "9")[0] in decision.keys
    assert not set(search_hashes(configuration, references, "ipp", "112")) & set(decision.keys)
