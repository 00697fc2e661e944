"""What `group:`, `identity:`, `sites:`, `keys:` and `tables:` take."""

from __future__ import annotations

from typing import Final

from engine.routes.schema.words import Charset, Finess, HdText, Oid, Timezone
from engine.transforms.shapes import (
    Choice,
    Either,
    Key,
    ListOf,
    NameShape,
    Number,
    Pairs,
    PathShape,
    Raw,
    Record,
    TextShape,
)

AUTHORITY: Final = Record(
    {
        "oid": Key(Oid(), default="", about="OID of the authority (HD-2); or finess, where it has none."),
        "finess": Key(Finess(), default="", about="FINESS of the establishment that numbers, where there is no OID."),
        "hd1": Key(HdText(), default="", about="Name of the authority as it is written (HD-1)."),
        "hd3": Key(
            Choice("ISO", "L", "M", "N"),
            default="",
            about="What HD-2 is: ISO (OID), L (local), M (EJ), N (EG). Unless said: ISO with oid, M with finess.",
        ),
        "type": Key(HdText(), required=True, about="CX-5 (table 0203): PI, AN, VN, PN… An authority is (OID, type)."),
    }
)
_AUTHORITIES: Final = Pairs(NameShape(), AUTHORITY)
GROUP: Final = Record(
    {
        "label": Key(TextShape(), default="", about="Name of the group, for people."),
        "authorities": Key(_AUTHORITIES, about="Authorities of the group itself; its `ipp` is @group in paths."),
    }
)
IDENTITY: Final = Record(
    {
        "registry": Key(
            Choice("own", "follow"),
            required=True,
            about="Who numbers the patients of the group: own (Passerelle does), follow (another registry; its A31).",
        ),
        "number": Key(
            Record(
                {
                    "prefix": Key(HdText(), default="", about="What stands in front of each number."),
                    "width": Key(Number(4, 18), default=9, about="Digits of the counter."),
                    "check": Key(Choice("mod97", "none"), default="mod97", about="Two check digits at the end."),
                }
            ),
            about="With registry: own, the form of the numbers that Passerelle gives.",
        ),
        "on_merge": Key(
            Choice("review", "emit"),
            default="review",
            about="A merge of one site that joins two patients of the group: a person decides, or a merge is sent.",
        ),
        "contracts": Key(
            ListOf(ListOf(TextShape(), least=2)),
            about="Which sites trust each other's qualified INS: [[cha, chb]]. Only between them it links patients.",
        ),
    }
)
SITE: Final = Record(
    {
        "label": Key(TextShape(), default="", about="Name of the establishment, for people."),
        "finess_ej": Key(Finess(), default="", about="FINESS of the legal entity (EJ)."),
        "finess_eg": Key(Finess(), default="", about="FINESS of the place (EG)."),
        "charset": Key(
            Charset(),
            default="cp1252",
            about="What its systems really emit. MSH-18 is tried first; this is for when it is silent or wrong.",
        ),
        "timezone": Key(
            Timezone(),
            default="Europe/Paris",
            about="Where its clocks stand, for age(); no time of a message is changed by it.",
        ),
        "authorities": Key(_AUTHORITIES, about="Who numbers its patients and stays: name -> (OID, type)."),
        "aliases": Key(
            Pairs(TextShape(), TextShape()),
            about='Other spellings of its partners: "CPAGE/PI": ipp (CX-4 as it is written, /, CX-5).',
        ),
    }
)
KEY: Final = Record(
    {
        "path": Key(
            ListOf(Raw(PathShape()), single=True),
            about="Where HL7 messages have it; of several, the first that has a value.",
        ),
        "hprim": Key(ListOf(Raw(PathShape()), single=True), about="Where HPRIM files have it."),
        "phi": Key(
            Choice("none", "pseudonym", "direct"),
            about="Informative: what it says about a patient; values are hashed and masked in any case.",
        ),
    }
)
TABLE: Final = Either(
    TextShape(),
    Record({"file": Key(TextShape(), required=True, about="CSV with a header line, relative to routes.yaml.")}),
)
