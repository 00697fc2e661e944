"""`passerelle fmt`: layout changes, what is said doesn't."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.formatting import NotFormatted, _plain, formatted

ROOT = pathlib.Path(__file__).parents[4]

CASES = {
    "indentation, blanks, empty lines": (
        """

version:   1
sites:
    cha:
        label:  CH d'Arvigny\x20\x20
        aliases: {CPAGE/PI: ipp,CPAGE/AN : nda}


    # the other one
    chb: { }
routes:
   r:
      from:
      - gam
      -   lis
      to: [ dpi ,raw]

""",
        """version: 1
sites:
  cha:
    label: CH d'Arvigny
    aliases: { CPAGE/PI: ipp, CPAGE/AN: nda }

  # the other one
  chb: { }
routes:
  r:
    from:
      - gam
      - lis
    to: [dpi, raw]
""",
    ),
    "paths with brackets come to stand in lines of their own": (
        """steps:
  a:
    - set: { PID-3[@ipp].4.1: X, MSH-3: "Y" }   # why
    - delete: [PID-3[5=MR], PID-19]
    - map: { field: OBX[3=718-7]-5, table: t, take: c, on_missing: { set: "{PID-3[1].1}" } }
    - set: { "PID-3[@ipp].1": kept }
""",
        """steps:
  a:
    - set:   # why
        PID-3[@ipp].4.1: X
        MSH-3: "Y"
    - delete:
        - PID-3[5=MR]
        - PID-19
    - map:
        field: OBX[3=718-7]-5
        table: t
        take: c
        on_missing: { set: "{PID-3[1].1}" }
    - set: { "PID-3[@ipp].1": kept }
""",
    ),
    "columns made by hand stay columns": (
        """keys:
    ipp:   { path: a }
    nda:   { path: b }            # the stay
    order: { path: cc }           # the order
    x:   y
    zz: y
""",
        """keys:
  ipp:   { path: a }
  nda:   { path: b }            # the stay
  order: { path: cc }           # the order
  x: y
  zz: y
""",
    ),
    "comments stay with what they stand beside": (
        """# head

a:
    - b
    # - c:
    #     d
    # of the list

# of e
e: # behind the key
    # below it
    f: g # behind the value
# the end
""",
        """# head

a:
  - b
  # - c:
  #     d
  # of the list

# of e
e: # behind the key
  # below it
  f: g # behind the value
# the end
""",
    ),
    "brackets over several lines": (
        """a: { b: c,
     d: [e,
         f] }
g: [ h,   # why h
     i ]  # why i
""",
        """a: { b: c, d: [e, f] }
g:
  - h  # why h
  - i  # why i
""",
    ),
    "texts of several lines": (
        """given:
   message: |
       MSH|^~\\&|A # no comment
         indented

       PID|1
   folded: >-
     one
     two
   plain: one
       two # behind
   quoted: "one

      two # no comment"
next: x
""",
        """given:
  message: |
    MSH|^~\\&|A # no comment
      indented

    PID|1
  folded: >-
    one
    two
  plain: one
    two # behind
  quoted: "one

    two # no comment"
next: x
""",
    ),
    "lists of lists, empty values, quotes": (
        """a:
- - b
  - c
-
  d: 'it''s #1'
  e: "x: y"
f:
g: [ ]
h: ""
""",
        """a:
  - - b
    - c
  - d: 'it''s #1'
    e: "x: y"
f:
g: []
h: ""
""",
    ),
    "what is too long for a line": (
        """a:
  - map: { field: PV1-3.1, table: units, match: { site: "{site}", code: "{value}" }, take: dpi,
           on_missing: keep, some: more, and: more }
""",
        """a:
  - map:
      field: PV1-3.1
      table: units
      match: { site: "{site}", code: "{value}" }
      take: dpi
      on_missing: keep
      some: more
      and: more
""",
    ),
    "line ends of Windows, a byte order mark": ("\ufeffa: b\r\nc: d # e\r\n", "a: b\nc: d # e\n"),
    "the mark of a document": ("---\na:   b\n", "---\na: b\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layout(name):
    """Before becomes after, and after stays."""
    before, after = CASES[name]
    assert formatted(before) == after
    assert formatted(after) == after


@pytest.mark.parametrize("file", ["routes.yaml", "bench/routes.yaml"])
def test_delivered_files_are_laid_out(file):
    """As `passerelle fmt` leaves them."""
    text = (ROOT / file).read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [b\n", "isn't YAML"),
        ("a: &b c\n", "anchors"),
        ("a: !x c\n", "anchors"),
        ("a: *b\n", "anchors"),
        ("- a\n", "is a mapping"),
        ("", "is a mapping"),
        ("a: b\n---\nc: d\n", "several documents"),
        ("[a]: b\n", "a key is one text"),
        ("a: |2\n   b\n", "its own indentation"),
    ],
)
def test_refused(text, words):
    """What can't be laid out isn't touched."""
    with pytest.raises(NotFormatted, match=words):
        formatted(text)


SCALARS = st.sampled_from(
    ["a", "b c", '"x: y"', "'it''s'", "PID-5.1", '"PID-3[@ipp].1"', "${env:X}", "A#1", '"# no"', "1", "", "{PID}"]
)
KEYS = st.sampled_from(["k", "PID-3.1", '"PID-3[@ipp].1"', "long_key", "'q q'"])
COMMENTS = st.sampled_from(["", "", "", " # c", "   # why not"])


@st.composite
def blocks(draw, depth: int = 0) -> list[str]:
    """Lines of a mapping, indented by chance."""
    step = " " * draw(st.integers(1, 5))
    lines: list[str] = []
    names: set[str] = set()
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 4)) == 0:
            lines.append(draw(st.sampled_from(["", "# own line", "", "  # moved"])))
        key = draw(KEYS)
        if key.strip("\"'") in names:
            continue
        names.add(key.strip("\"'"))
        kind = draw(st.integers(0, 5)) if depth < 3 else 0
        gap = " " * draw(st.integers(1, 3))
        if kind < 2:
            value = draw(SCALARS)
            value = value if value != "{PID}" else '"{PID}"'
            lines.append(f"{key}:{gap}{value}{draw(COMMENTS)}")
        elif kind == 2:
            items = ",".join(one or "x" for one in draw(st.lists(SCALARS, max_size=4)) if one not in ("{PID}", "A#1"))
            lines.append(f"{key}:{gap}[{items}]{draw(COMMENTS)}")
        elif kind == 3:
            lines.append(f"{key}:{gap}{{x: {draw(SCALARS.filter(lambda one: one not in ('', '{PID}')))} , y: z}}")
        elif kind == 4:
            lines.append(f"{key}:{draw(COMMENTS)}")
            lines += [f"{step}{line}" if line else "" for line in draw(blocks(depth + 1))]
        else:
            lines.append(f"{key}:")
            for _ in range(draw(st.integers(1, 3))):
                inner = draw(blocks(depth + 1))
                body = [line for line in inner if line.strip() and not line.strip().startswith("#")]
                lines.append(f"{step}-{gap}{body[0]}" if body else f"{step}- x")
                lines += [f"{step} {gap}{line}" for line in body[1:]]
    return lines or ["k: v"]


def said(text: str):
    document = read_document("r.yaml", text, Findings())
    return None if document is None else _plain(document)


@given(blocks())
@settings(max_examples=200, deadline=None)
def test_any_document_says_the_same(lines):
    """Laid out once and for all, with the same keys, values and comments."""
    text = "\n".join(lines) + "\n"
    if said(text) is None:  # two lines that YAML doesn't take together
        return
    once = formatted(text)
    assert said(once) == said(text)
    assert formatted(once) == once
    assert once.count(" # ") + once.count("\n# ") >= text.count(" # c")
