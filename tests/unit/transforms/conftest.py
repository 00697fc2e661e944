"""
Steps as an analyst writes them, run on one message.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from engine.identity.authorities import Authority
from engine.parsers.hl7v2.message import Message
from engine.routes.configuration import Site
from engine.routes.declarations import make_authorities
from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.transforms.shapes import Unreadable
from engine.transforms.step import Context
from engine.transforms.tables import Table

MESSAGE = (
    "MSH|^~\\&|A|B|C|D|20260301||ADT^A01^ADT_A01|1|P|2.5\r"
    'PID|1||111^^^X&1.2.3.1&ISO^PI~222^^^Y^MR||DOE^JANE||19840312|F|""\r'
    "PV1|1|I|1010^2\r"
    "OBX|1|CE|A^1||10\rOBX|2|CE|B^2||20\r"
)


def authority(name: str, type_: str, oid: str, site: str = "cha", hd1: str = "IPP", hd3: str = "ISO") -> Authority:
    return Authority(name=name, site=site, type=type_, oid=oid, hd1=hd1, hd2=oid, hd3=hd3)


CHA = Site(
    name="cha", finess_ej="000000026",
    authorities={"ipp": authority("ipp", "PI", "1.2.3.1"), "nda": authority("nda", "AN", "1.2.3.2", hd1="NDA"),
                 "visit": authority("visit", "VN", "1.2.3.2", hd1="NDA")},
)  # fmt: skip
UF = Table("uf", ("site", "code", "dpi", "label"), [("cha", "1010", "T1", "Urgences"), ("cha", "*", "T9", "Autres")])
DATED = Table(
    "dated",
    ("code", "to", "valid_from", "valid_to"),
    [("1010", "old", "", "20260228"), ("1010", "new", "20260301", "")],
)
ROWS = [("cha", "1010", "T1"), ("chb", "1010", "T2")]
KEYED = Table("keyed", ("site", "code", "dpi"), ROWS, keys=("site", "code"))
TWICE = Table("twice", ("site", "code", "dpi"), ROWS)
CODES = Table("codes", ("code", "to"), [("A", "a"), ("B", "b"), ("10", "ten")])


def names() -> Names:
    made = Names(environment={}, secrets=lambda name: None, sites={"cha": CHA})
    made.authorities = make_authorities([CHA], {})
    made.tables = {"uf": UF, "codes": CODES, "dated": DATED, "keyed": KEYED, "twice": TWICE}

    made.key_names = {"nda"}
    return made


@pytest.fixture
def compiled() -> Callable[..., Any]:
    """Compile `steps` (a YAML list) for the site cha; gives steps and findings."""

    def make(steps: str, variant: str = "cha/ipp") -> Any:
        findings = Findings()
        document = read_document("r.yaml", f"steps:\n{steps}\n", findings)
        assert document is not None, findings.all()
        node = document.get("steps")
        assert node is not None
        try:
            made = Reading(findings, names(), variant=variant).steps(node)
        except Unreadable:
            made = ()
        return SimpleNamespace(steps=made, codes=[one.code for one in findings.all()], findings=findings.all())

    return make


@pytest.fixture
def run(compiled) -> Callable[..., Any]:
    """Compile and run steps on a message; gives its text, its segments by line, and the context."""

    def go(steps: str, message: str = MESSAGE, **facts: Any) -> Any:
        made = compiled(steps)
        assert [one for one in made.findings if one.level == "error"] == []
        parsed = Message.parse(message.encode(), as_utf8=True)
        facts = {"site": "cha", "variant": "cha/ipp", "type": "ADT", "event": "A01", "source": "gam", **facts}
        context = Context(parsed, keys={"nda": lambda _: ["N1"]}, **facts)
        for step in made.steps:
            step.apply(context)
        text = context.message.to_bytes().decode()
        return SimpleNamespace(text=text, lines=text.split("\r"), context=context)

    return go
