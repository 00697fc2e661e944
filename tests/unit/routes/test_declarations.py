"""Sites, keys, sources and destinations as records."""

from __future__ import annotations

import pytest

from engine.routes import ConfigurationRefused
from engine.routes.configuration import FragmentsRule, variant_of
from engine.routes.declarations import variants_of
from tests.unit.routes.conftest import SMALL

ROUTES = "routes:\n  r:\n    from: [gam, lis]\n    to: [dpi, raw, bus]\n"


def codes(small, base: str) -> list[str]:
    with pytest.raises(ConfigurationRefused) as caught:
        small(ROUTES, base=base)
    return [one.code for one in caught.value.findings if one.level == "error"]


def test_sites(small):
    """An authority has all three parts of its HD."""
    configuration = small(ROUTES)
    nda = configuration.sites["cha"].authorities["nda"]
    assert (nda.key, nda.hd1, nda.hd2, nda.hd3) == ("1.2.250.1.999.12.1|AN", "CHA-SEJOUR", "1.2.250.1.999.12.1", "L")
    assert configuration.sites["cha"].charset == "cp1252"


def test_variants(small):
    """A source brings the sites that its table can tell, with its `untyped:`."""
    configuration = small(ROUTES)
    assert variants_of(configuration.sources["gam"]) == ["cha/ipp"] == [variant_of("cha", "ipp")]
    assert variants_of(configuration.sources["lis"]) == ["cha", "chb"]


def test_source_values(small):
    """Durations are seconds, sizes bytes, networks in CIDR form."""
    base = SMALL.replace(
        'listen: "127.0.0.1:6101"',
        'listen: "[::1]:6101", allow: [10.1.4.7, 10.1.5.0/24], max_size: 5MB, dedupe: 5m, '
        "block_timeout: 500ms, processing: [P, T]",
    )
    source = small(ROUTES, base=base).sources["gam"]
    assert (source.host, source.port, source.max_size, source.dedupe, source.block_timeout) == (
        "::1", 6101, 5_000_000, 300.0, 0.5,
    )  # fmt: skip
    assert source.allow == ("10.1.4.7/32", "10.1.5.0/24")
    assert source.processing == {"P", "T"}


def test_destination_values(small):
    """Retry, encoding, order and answers are read over their usual values."""
    base = SMALL.replace(
        "dead_letter: { lane: park }",
        "order_by: [nda], encode: { charset: iso-8859-15, control_id: as_received }, "
        "retry: { busy: { first: 5s }, attempts: 3 }, "
        'answers: [ { text: "/plus tard/", as: busy } ]',
    )
    dpi = small(ROUTES, base=base).destinations["dpi"]
    assert (dpi.order.by, dpi.order.keys) == ("keys", ("nda",))
    assert (dpi.encode.charset, dpi.encode.msh18, dpi.encode.control_id) == ("iso8859-15", "8859/15", "as_received")
    assert (dpi.retry.busy.first, dpi.retry.busy.longest, dpi.retry.attempts) == (5.0, 900.0, 3)
    assert dpi.answers[0].text is not None
    assert dpi.answers[0].text("revenez plus tard")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("untyped: ipp", "untyped: nothing", "E133"),
        ("site: cha, listen", "site: cho, listen", "E116"),
        ("oid: 1.2.250.1.999.20.1, hd1: CHB-IPP", "oid: 1.2.250.1.999.10.1, hd1: OTHER", "E118"),
        ("oid: 1.2.250.1.999.20.1, ", "", "E105"),
        ("hd1: CHB-IPP", 'hd1: "A&B"', "E111"),
        ("table: finess_to_site", "table: finess", "E132"),
        ('finess_ej: "990000028"', 'finess_ej: "000000026"', "E118"),
        ("keys:\n", "keys:\n  site: { path: PID-3 }\n", "E118"),
        ("keys:\n", "keys:\n  empty: { phi: none }\n", "E105"),
        ("encode: as_received", "encode: as_recieved", "E110"),
        ('"ght/{site}/adt/{event}"', '"ght/{PID-3.1}"', "E114"),
        ("dead_letter: { lane: park }", "order_by: [ndaa]", "E130"),
        ("dead_letter: { lane: park }", "answers: [ { as: busy } ]", "E105"),
        ("charset: ISO-8859-1", "charset: LATIN", "E110"),
        ('listen: "127.0.0.1:6110"', 'listen: "127.0.0.1:6110"\n    allow: here', "E138"),
        (
            "    authorities:\n      ipp: { oid: 1.2.250.1.999.10.1",
            "    aliases: { CPAGE: ipp }\n    authorities:\n      ipp: { oid: 1.2.250.1.999.10.1",
            "E110",
        ),
        ("version: 1\n", "version: 1\nlists: { pam.stay: [A01] }\n", "E118"),
    ],
)
def test_refused(small, old, new, code):
    """What contradicts itself or names nothing is refused."""
    assert old in SMALL
    assert code in codes(small, SMALL.replace(old, new, 1))


def test_site_table(small):
    """`site_from` may use a table of its own, with a column site."""
    base = SMALL.replace("table: finess_to_site", "table: t") + "tables: { t: t.csv }\n"
    configuration = small(ROUTES, base=base, t=b"code,site\nLAB-A,cha\n")
    site_from = configuration.sources["lis"].site_from
    assert site_from is not None
    assert site_from.table == {"LAB-A": "cha"}
    with pytest.raises(ConfigurationRefused):
        small(ROUTES, base=base, t=b"code,site\nLAB-A,che\n")
    with pytest.raises(ConfigurationRefused):
        small(ROUTES, base=base, t=b"code,town\nLAB-A,cha\n")


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", FragmentsRule(join=600.0, then="dead_letter")),
        (", fragments: { join: 1h }", FragmentsRule(join=3600.0, then="dead_letter")),
        (", fragments: { join: 5m, then: deliver }", FragmentsRule(join=300.0, then="deliver")),
        (", fragments: dead_letter", FragmentsRule(join=0.0, then="dead_letter")),
        (", fragments: deliver", FragmentsRule(join=0.0, then="deliver")),
    ],
)
def test_parts_of_a_longer_message(small, written, rule):
    """They wait ten minutes unless said; a word alone joins nothing."""
    base = SMALL.replace("untyped: ipp }", f"untyped: ipp{written} }}")
    assert small(ROUTES, base=base).sources["gam"].fragments == rule


@pytest.mark.parametrize(
    ("written", "code"), [("join", "E110"), ("{ wait: 1h }", "E104"), ("{ join: soon }", "E111"), ("[deliver]", "E106")]
)
def test_wrong_rules_for_parts(small, written, code):
    """Each is a finding at its place."""
    assert codes(small, SMALL.replace("untyped: ipp }", f"untyped: ipp, fragments: {written} }}")) == [code]
