"""Keyed hashes of identifiers."""

from __future__ import annotations

from engine.core.references import References, digest_of


def test_the_same_identifier_gives_the_same_hash() -> None:
    """Name, authority and value together make the reference; each of them counts."""
    references = References(b"k" * 32)
    one = references.hash("patient", "1.2.3/PI", "42")
    assert one == References(b"k" * 32).hash("patient", "1.2.3/PI", "42")
    others = {
        references.hash("ipp", "1.2.3/PI", "42"),
        references.hash("patient", "1.2.4/PI", "42"),
        references.hash("patient", "1.2.3/PI", "0042"),
        References(b"l" * 32).hash("patient", "1.2.3/PI", "42"),
    }
    assert one not in others
    assert len(others) == 4
    assert -(1 << 63) <= one < 1 << 63


def test_parts_can_not_be_shifted() -> None:
    """Moving characters from the authority to the value gives another reference."""
    references = References(b"k" * 32)
    assert references.hash("p", "ab", "c") != references.hash("p", "a", "bc")


def test_a_hash_does_not_depend_on_what_was_hashed_before() -> None:
    """What is kept of a name and an authority is bounded, and forgotten without any effect."""
    references = References(b"k" * 32)
    before = references.hash("patient", "1.2.3|PI", "42")
    many = {references.hash("patient", f"stranger-{number}|PI", "42") for number in range(3000)}
    assert len(many) == 3000
    assert len(references._prefixes) <= 1024
    assert references.hash("patient", "1.2.3|PI", "42") == before
    assert References(b"k" * 32).hash("patient", "1.2.3|PI", "42") == before


def test_digest_sees_every_byte() -> None:
    """A retransmission is recognised by all of its bytes."""
    assert digest_of(b"abc") == digest_of(b"abc") != digest_of(b"abd")


def test_digest_sees_the_files_beside() -> None:
    """The same result with another document, or with the one that was missing, is news."""
    seen = [digest_of(b"abc", beside) for beside in ((), (0,), (7,), (-7,), (7, 7))]
    assert len(set(seen)) == 5
    assert digest_of(b"abc") == seen[0]
