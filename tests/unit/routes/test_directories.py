"""Folders as sources: keys, and what a message names."""

from __future__ import annotations

import pathlib

import pytest

from engine.core.bundle import unpack
from engine.core.lifecycle import MessageState
from engine.core.messages import Attachment, DeliveryFlag, PayloadKind
from engine.errors import ConfigurationRefused
from engine.routes import load
from engine.routes.configuration import UnfinishedRule
from engine.routes.directories import FILES_MAX, named_by
from engine.routes.evaluation import evaluate, render_again
from tests.unit.routes.conftest import SMALL

SOURCE = """
  labo:
    type: directory
    site: cha
    untyped: ipp
    format: auto
    path: in
    pattern: "*.hpr"
    {more}
"""
BASE = """
version: 1
sites:
  cha:
    finess_ej: "000000026"
    charset: ISO-8859-1
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:5500" }}
  raw: {{ type: directory, path: out, encode: as_received, file_name: "{{id}}.hpr" }}
sources:
{source}
routes:
  r:
    from: [labo]
    steps: [ {steps} ]
    to: {to}
"""
FILE = (
    "H|~^\\&|F.HPR||L1~LABO||ORU|||CHA||P|H2.3~L|20260102\r\nP|1|77~78~FU|L1||DÜRAND~Zoé\r\n"
    "OBX|1|FIC|X||r~a.pdf~PDF\r\n"
    "P|2|79\r\nOBX|1|FIC|X||r~a.pdf~PDF\r\nL|1\r\n"
).encode("cp1252")
ATTACHMENTS = "attachments: { on_missing: dead_letter, wait: 1m }"


@pytest.fixture
def make(small):
    def go(
        more: str = ATTACHMENTS, *, steps: str = "hprim_to_hl7: { }", to: str = "[dpi, raw]", pattern: str = "*.hpr"
    ):
        source = SOURCE.format(more=more).replace('"*.hpr"', f'"{pattern}"')
        return small("", base=BASE.format(source=source, steps="{ " + steps + " }" if steps else "", to=to))

    return go


def test_what_a_message_names(make):
    """Its files, and of whom it speaks; a file that can't be read names nothing."""
    name = named_by(make().sources["labo"])
    named = name(FILE)
    assert [(one.path, one.kind) for one in named.files] == [("r/a.pdf", "PDF")]
    assert named.keys == {b"77", b"78", b"L1", b"79"}
    assert name(b"nothing") == ((), frozenset())
    many = b"H|~^\\&|F|||\r\n" + b"".join(b"OBX|1|FIC|X||%d.pdf\r\n" % number for number in range(200))
    assert len(name(many).files) == FILES_MAX
    assert named_by(make("settle: 1s").sources["labo"]) is None


def test_another_path(make):
    """`from:` says where names stand."""
    name = named_by(make('attachments: { from: "OBX[*]-6", on_missing: take }').sources["labo"])
    assert [one.path for one in name(b"H|~^\\&|F|||\r\nOBX|1|TX|X||x|y.pdf\r\n").files] == ["y.pdf"]


def test_keys(make):
    """Defaults and values."""
    keys = "answer_files: { path: back, when: refused }\n    attachments: { max: 1MB, on_missing: take }"
    source = make(keys).sources["labo"]
    assert (source.attachments.wait, source.attachments.max_size, source.attachments.on_missing) == (
        600.0,
        10**6,
        "take",
    )
    assert (source.answer_files.path, source.answer_files.extension, source.answer_files.when) == (
        "back",
        ".ERR",
        "refused",
    )


@pytest.mark.parametrize(
    ("more", "pattern", "sentence"),
    [
        ("attachments: { wait: 1m }", "*.hpr", "a file may not come"),
        (ATTACHMENTS, "*", "every file is a message here"),
        ("answer_files: { when: always }", "*.hpr", "path is missing"),
        ("attachments: { from: OBX5, on_missing: take }", "*.hpr", "a dash stands between"),
    ],
)
def test_refused(make, more, pattern, sentence):
    """With what to write."""
    with pytest.raises(ConfigurationRefused, match=sentence):
        make(more, pattern=pattern)


def message(stored, data: bytes | None = b"%PDF"):
    one = stored(FILE, "labo")
    one.attachments = (Attachment("r/a.pdf", "PDF", data),)
    return one


def test_one_message_a_patient(make, references, stored):
    """Deliveries of one file: in order, with their ranks and types; each in the lanes of its own patient."""
    decision = evaluate(make(to="[dpi]"), message(stored), references)
    assert decision.state is MessageState.ROUTED
    assert [(one.type, one.part) for one in decision.deliveries] == [
        ("ADT^A40", (1, 3)), ("ORU^R01", (2, 3)), ("ORU^R01", (3, 3)),
    ]  # fmt: skip
    merge, first, second = decision.deliveries
    assert merge.flags & DeliveryFlag.IDENTITY_EVENT
    assert first.flags & DeliveryFlag.RESULT
    assert not set(first.lanes) & set(second.lanes)
    assert set(first.lanes) == set(merge.lanes)
    assert merge.payload_kind is PayloadKind.FULL
    assert b"|ED|" in second.rendered
    again = render_again(make(to="[dpi]"), message(stored), references, "r", "dpi", second.id, second.part)
    assert again.rendered == second.rendered


def test_a_file_that_didn_t_come(make, references, stored):
    """The message is a dead letter, or goes on without."""
    decision = evaluate(make(), message(stored, None), references)
    assert (decision.state, decision.code, decision.field) == (MessageState.DEAD, "E-ATTACHMENT", "OBX[2=FIC]-5[*]")
    take = make("attachments: { on_missing: take }", steps="hprim_to_hl7: { on_missing: pointer }", to="[dpi]")
    assert b"|RP|" in evaluate(take, message(stored, None), references).deliveries[1].rendered


def test_as_received_a_message_keeps_its_files(make, references, stored):
    """To a folder they go together; where there is no room for them, that is told."""
    decision = evaluate(make(steps=""), message(stored), references)
    dpi, raw = decision.deliveries
    assert raw.payload_kind is PayloadKind.BUNDLE
    assert unpack(raw.rendered) == (FILE, [("r/a.pdf", b"%PDF")])
    assert raw.payload == raw.rendered
    assert dpi.payload_kind is not PayloadKind.BUNDLE
    assert decision.findings.count("attachments-left") == 1


def test_relative_folders_start_from_the_routes_file(small, tmp_path, monkeypatch):
    """Wherever the engine was started; an absolute one stays what it is."""
    monkeypatch.chdir("/")
    base = SMALL.replace("path: out,", "path: data/out,").replace(
        "  gam:",
        "  labo: { type: directory, site: cha, path: in/labo, answer_files: { path: in/back } }\n"
        "  share: { type: directory, site: cha, path: /mnt/labo, answer_files: { path: /mnt/back } }\n  gam:",
    )
    configuration = small("routes:\n  r: { from: [gam, labo, share], to: [raw] }\n", base=base)
    labo, share = configuration.sources["labo"], configuration.sources["share"]
    assert (labo.folder, share.folder) == (tmp_path / "in" / "labo", pathlib.Path("/mnt/labo"))
    assert labo.answer_files is not None
    assert share.answer_files is not None
    assert (labo.answer_files.folder, share.answer_files.folder) == (tmp_path / "in/back", pathlib.Path("/mnt/back"))
    assert configuration.destinations["raw"].folder == tmp_path / "data" / "out"
    monkeypatch.chdir(tmp_path)
    relative = load(pathlib.Path("routes.yaml"), environment={})
    assert relative.sources["labo"].folder == tmp_path / "in" / "labo"


def test_what_becomes_of_unfinished_files(small, tmp_path):
    """As the source says; the safe way unless told."""
    base = SMALL.replace(
        "  gam:",
        "  one: { type: directory, site: cha, path: a }\n"
        "  other: { type: directory, site: cha, path: b, unfinished: { wait: 1h, then: take } }\n  gam:",
    )
    sources = small("routes:\n  r: { from: [gam, one, other], to: [raw] }\n", base=base).sources
    assert sources["one"].unfinished == UnfinishedRule(wait=600.0, then="refuse")
    assert sources["other"].unfinished == UnfinishedRule(wait=3600.0, then="take")
