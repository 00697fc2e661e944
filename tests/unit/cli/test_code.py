"""`passerelle code`."""

from __future__ import annotations

import json

SHOWN = """\
E120  A verb that can fail doesn't say what then

A code may be missing from its table, a date may be none. Whether the message then stops, or goes on as it is, is for \
the hospital to decide; there is no usual answer.

routes.yaml
   - map:
       field: PV1-3.1
       table: uf
       take: dpi
  +    on_missing: dead_letter
"""


def test_one_code(passerelle):
    """Title, why, and what to change; the letter may be small."""
    assert passerelle("code", "E120").stdout == SHOWN
    assert passerelle("code", "e120").stdout == SHOWN
    assert json.loads(passerelle("--json", "code", "E120").stdout)["diff"].endswith("+    on_missing: dead_letter\n")


def test_all_codes(passerelle):
    """One a line."""
    lines = passerelle("code").stdout.splitlines()
    assert "E102  A key or a name stands twice" in lines
    assert any(line.startswith("E-MAP-MISS ") for line in lines)
    assert len(lines) == len(passerelle("--json", "code").stdout.splitlines()) >= 40


def test_an_unknown_code(passerelle):
    """A negative answer, which names the nearest."""
    done = passerelle("code", "E1200")
    assert done.exit_code == 1
    assert "did you mean E120?" in done.stderr
    done = passerelle("code", "E-POISSON")
    assert done.exit_code == 1
    assert "did you mean E-POISON?" in done.stderr
    assert "`passerelle code` lists them all" in passerelle("code", "nonsense").stderr


def test_a_code_of_a_dead_letter(passerelle):
    """What happened, and what to do next."""
    shown = passerelle("code", "e-poison").stdout
    assert shown.startswith("E-POISON  (dead letter)\n\nWhat happened: This message alone failed")
    assert "Do next: `passerelle dead show ID`" in shown
    assert set(json.loads(passerelle("--json", "code", "E-POISON").stdout)) == {"v", "code", "stands", "what", "then"}


def test_what_a_receiver_answered(passerelle):
    """As it stands in listings: two words."""
    shown = passerelle("code", "AE", "204").stdout
    assert "unknown key identifier (table 0357)" in shown
    assert passerelle("code", "AE 204").stdout == shown


ROUTES = """
version: 1
sites: { cha: { finess_eg: "000780064", authorities: { ipp: { type: PI, oid: 1.2.250.1.999.10.1 } } } }
sources: { gam_cha: { type: mllp, site: cha, listen: 127.0.0.1:6101 } }
destinations: { dpi: { type: mllp, connect: 127.0.0.1:6103 } }
tables: { uf: uf.csv }
routes:
  adt:
    from: [gam_cha]
    steps:
      - map: { field: PV1-3.1, table: uf, take: dpi, on_missing: { flag: uf-unknown } }
      - tag: urgent   # tag: never
    to: [dpi]
"""


def test_a_word_of_the_routes(passerelle, data):
    """What a step leaves is somebody's own word: it says where; a comment leaves nothing."""
    (data.parent / "routes.yaml").write_text(ROUTES)
    (data.parent / "uf.csv").write_text("code,dpi\n1,A\n")
    shown = passerelle("code", "uf-unknown").stdout
    assert shown.startswith("uf-unknown  (word of the routes: routes.yaml:11)\n\nWhat happened: A step could not do")
    assert passerelle("code", "uf-unknown", "PV1-3.1").stdout == shown
    assert json.loads(passerelle("--json", "code", "tag:urgent").stdout)["where"] == ["routes.yaml:12"]
    done = passerelle("code", "never")
    assert (done.exit_code, "leaves no such word (flag:, tag:)" in " ".join(done.stderr.split())) == (1, True)


def test_lint_names_it(passerelle, data):
    """The last line of a refusal says how to learn more."""
    (data.parent / "routes.yaml").write_text("version: 2\n")
    done = passerelle("lint")
    assert done.exit_code == 78
    assert "`passerelle code E110` explains" in done.stderr
