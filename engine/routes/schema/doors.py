"""What `sources:` and `destinations:` take, by type."""

from __future__ import annotations

from typing import Any, Final

from engine.identity.gates import MAY_HAVE
from engine.routes.schema.words import OUTGOING, AddressShape, Charset, Network, Size
from engine.transforms.shapes import (
    Choice,
    Duration,
    Either,
    Key,
    ListOf,
    NameShape,
    Number,
    Pairs,
    PathShape,
    Raw,
    Record,
    Reserved,
    TemplateShape,
    TextShape,
)

FORMATS: Final = ("hl7v2", "hprim-sante", "hprim-medecin")
_FROM: Final = "a relative one starts from the folder of routes.yaml."
_SITE_FROM: Final = Record(
    {
        "path": Key(
            ListOf(Raw(PathShape()), single=True),
            required=True,
            about="Where the message names its establishment; of several, the first whose value the table knows.",
        ),
        "table": Key(
            Raw(TextShape()),
            required=True,
            about="finess_to_site (built in), or a table of your own with a column `site`.",
        ),
        "on_missing": Key(
            Choice("dead_letter"),
            required=True,
            missing="a message may tell no known site|add on_missing: dead_letter",
            about="What becomes of a message that tells no known site.",
        ),
    }
)
_ALONE: Final = Choice("dead_letter", "deliver")
_FRAGMENTS: Final = Record(
    {
        "join": Key(
            Duration(), default=600.0, about="How long it waits for its other parts, to go on as one with them."
        ),
        "then": Key(_ALONE, default="dead_letter", about="When they didn't come: for a person, or as it is."),
    }
)
_CONTACT: Final = Pairs(TextShape(), TextShape())
_RENAMED: Final = Key(
    NameShape(),
    default="",
    about="Its former name, when it was renamed: queues, history and metrics hang on the name.",
)
_ANY_SOURCE: Final[dict[str, Key]] = {
    "type": Key(Choice("mllp", "directory"), required=True, about="How messages come."),
    "site": Key(TextShape(), default="", about="The establishment whose system this is."),
    "site_from": Key(_SITE_FROM, about="For a system that several establishments share: each message says which."),
    "routing": Key(NameShape(), default="main", about="Routing group: sources of one group share one order of places."),
    "format": Key(Choice(*FORMATS, "auto"), default="hl7v2", about="What the bytes are."),
    "charset": Key(Charset(), default="", about="What this system really emits; unless said, the site's."),
    "processing": Key(
        ListOf(TextShape(), single=True),
        about="MSH-11 (H-11) that is taken to the routes: P unless said. T and D are filtered, and counted.",
    ),
    "when_unavailable": Key(
        Choice("wait", "ar", "ae"),
        default="wait",
        about="When nothing can be stored: don't answer and stop reading (wait), or answer AR or AE.",
    ),
    "batch": Key(
        Choice("whole", "split"),
        default="split",
        about="A block with several MSH: one message each (split), or one that no route takes (whole).",
    ),
    "fragments": Key(
        Either(_ALONE, _FRAGMENTS),
        about="A part of a longer message (DSC-1, MSH-14) whose other parts aren't in its block: it waits for them "
        "(join), is for a person at once (dead_letter), or goes to the routes as it is (deliver).",
    ),
    "dedupe": Key(Duration(), default=600.0, about="How long the same message sent again is a retransmission."),
    "max_size": Key(Size(), default=20_000_000, about="Longest message that is taken."),
    "untyped": Key(
        TextShape(),
        default="",
        about="Authority of the first PID-3 repetition without CX-4 and with CX-5 empty or PI.",
    ),
    "contact": Key(
        _CONTACT,
        about="Informative: whom to call (name, phone, hours); shown by passerelle docs.",
    ),
    "renamed_from": _RENAMED,
    "may_assert": Key(
        ListOf(TextShape(), single=True),
        about="Sites whose patients and stays it may number; unless said, its own. Needs the section identity.",
    ),
    "quirks": Key(Reserved("write it as steps (docs/routes/quirks.md)")),
}
_ATTACHMENTS: Final = Record(
    {
        "from": Key(Raw(PathShape()), about="Where their names stand; unless said, OBX[2=FIC]-5."),
        "wait": Key(Duration(), default=600.0, about="How long the message waits for a file that isn't there yet."),
        "max": Key(Size(), default=20_000_000, about="Longest file that is taken."),
        "on_missing": Key(
            Choice("dead_letter", "take"),
            required=True,
            missing="a file may not come|add on_missing: dead_letter | take",
            about="When the wait is over: the message is a dead letter, or goes on without the file.",
        ),
    }
)
_UNFINISHED: Final = Record(
    {
        "wait": Key(Duration(), default=600.0, about="How long it may rest before anything is done with it."),
        "then": Key(
            Choice("refuse", "take"),
            default="refuse",
            about="Refused, or taken as it is, with a finding: results lack.",
        ),
    }
)
_ANSWER_FILES: Final = Record(
    {
        "path": Key(TextShape(), required=True, about=f"Folder into which they are written; {_FROM}"),
        "extension": Key(TextShape(), default=".ERR", about="Ending of their names, after the message's own name."),
        "when": Key(
            Choice("always", "refused"), default="always", about="For each file, or for those that weren't taken."
        ),
    }
)
SOURCES: Final[dict[str, Record]] = {
    "mllp": Record(
        {
            **_ANY_SOURCE,
            "listen": Key(AddressShape(), required=True, about="Address and port on which it listens."),
            "ack": Key(
                Choice("after_store", "after_route"),
                default="after_store",
                about="Answer when the message is on disk, or when its routes have run (so that `reject` can answer).",
            ),
            "answer_within": Key(Duration(), default=10.0, about="With ack: after_route, how long a sender waits."),
            "missing_control_id": Key(
                Choice("refuse", "accept"), default="refuse", about="A message without MSH-10: AE 101, or taken."
            ),
            "acknowledge": Key(
                Choice("as_asked", "always"),
                default="as_asked",
                about="Answer as MSH-15 and MSH-16 ask, or always: for senders that ask for none and wait for one.",
            ),
            "allow": Key(ListOf(Network(), single=True), about="Who may connect; unless said, anybody."),
            "max_connections": Key(Number(1, 100_000), default=1000, about="Connections at a time."),
            "max_connections_per_peer": Key(
                Number(1, 100_000), default=250, about="Connections at a time from one address."
            ),
            "idle_timeout": Key(Duration(), default=0.0, about="Silence after which a connection is closed; 0: never."),
            "block_timeout": Key(Duration(), default=60.0, about="Silence in a message, or answers unread: closed."),
        }
    ),
    "directory": Record(
        {
            **_ANY_SOURCE,
            "path": Key(TextShape(), required=True, about=f"Folder that is watched; {_FROM}"),
            "pattern": Key(TextShape(), default="*", about="Which files: *.hpr"),
            "settle": Key(Duration(), default=5.0, about="A file that didn't grow for so long is complete."),
            "companion": Key(TextShape(), default="", about="Ending of the file that says `complete`: .ok"),
            "unfinished": Key(
                _UNFINISHED,
                about="A file without its end: the L of HPRIM, the closing tag of a letter, the trailer of a batch.",
            ),
            "after": Key(
                Record({"move_to": Key(TextShape(), required=True, about="Folder below path; %Y-%m: year and month.")}),
                about="What becomes of a file that was taken.",
            ),
            "poll": Key(Duration(), default=1.0, about="How often it looks."),
            "attachments": Key(_ATTACHMENTS, about="Files beside a message, which it names: read with it."),
            "answer_files": Key(_ANSWER_FILES, about="Write an acknowledgement for each file (HPRIM: context ERR)."),
        }
    ),
}

_DELAYS: Final = Record(
    {
        "first": Key(Duration(), about="Before the second attempt; it doubles from there."),
        "longest": Key(Duration(), about="Never longer than this."),
    }
)
_RETRY: Final = Record(
    {
        "connect": Key(_DELAYS, about="Nobody listens there."),
        "unknown": Key(_DELAYS, about="No answer came: it may have taken the message, or not."),
        "busy": Key(_DELAYS, about="It asks for later (AE 206, answers: as busy)."),
        "attempts": Key(
            Number(1, 10_000), about="Attempts spent on a message that alone fails; then it is dead (E-POISON)."
        ),
        "refused_attempts": Key(Number(1, 1_000), about="The same for AE and CE without ERR-3."),
    }
)
_ANSWER: Final = Record(
    {
        "code": Key(TextShape(), default="", about='ERR-3.1 or MSA-1, several with commas: "206,207".'),
        "text": Key(TextShape(), default="", about="What the answer says: a text, or /a regular expression/."),
        "as": Key(Choice("ok", "busy", "refused"), required=True, about="How to judge it."),
    }
)
_ENCODE: Final = Either(
    Choice("as_received"),
    Record(
        {
            "charset": Key(Choice(*OUTGOING, upper=True), default="UTF-8", about="MSH-18 is set to match."),
            "segment_end": Key(Choice("CR"), default="CR", about="HL7 knows no other."),
            "control_id": Key(
                Choice("own", "as_received"),
                default="own",
                about="MSH-10: the delivery's id and time, or the sender's.",
            ),
            "unencodable": Key(
                Choice("dead_letter", "replace"),
                default="dead_letter",
                about="A character that the charset doesn't have: a dead letter, or `?` and a finding.",
            ),
        }
    ),
)
ORDER_BY: Final = Either(Choice("patient", "all", "none"), ListOf(TextShape()))
DEAD_LETTER: Final = Record(
    {
        "lane": Key(
            Choice("pass", "park", "block"),
            required=True,
            about="What waits behind a dead letter of its patient goes on, waits for an operator, or all stops.",
        ),
        "park_max": Key(Duration(), default=1800.0, about="With park: how long the lane waits at most."),
        "results_wait": Key(Duration(), default=300.0, about="With park: how long results wait at most."),
    }
)
ORDER_KEY: Final = Key(
    ORDER_BY, about="What leaves one after the other: patient (usual), [keys], all (one at a time) or none."
)
DEAD_LETTER_KEY: Final = Key(DEAD_LETTER, about="What a dead letter does to what waits behind it.")
_ANY_DESTINATION: Final[dict[str, Key]] = {
    "type": Key(Choice("mllp", "directory", "mqtt"), required=True, about="How messages leave."),
    "order_by": ORDER_KEY,
    "encode": Key(_ENCODE, about="Charset, segment ends, MSH-10; or as_received: nothing that no step touched."),
    "dead_letter": DEAD_LETTER_KEY,
    "retry": Key(_RETRY, about="Delays between attempts, and how many."),
    "connect_timeout": Key(Duration(), default=10.0, about="How long to wait for a connection."),
    "contact": Key(
        _CONTACT,
        about="Informative: whom to call (name, phone, hours); shown beside its troubles.",
    ),
    "renamed_from": _RENAMED,
    "production": Key(
        Choice("yes", "no"), about="Whether real patients are treated with what it gets: no test identity goes there."
    ),
    "may_have": Key(
        ListOf(Choice(*MAY_HAVE), single=True),
        about="What may leave for it: ins (of qualified identities), insurance (its number). Unless said, neither.",
    ),
    "trust_source": Key(
        ListOf(TextShape(), single=True),
        about="With may_have: ins, sources whose messages carry no PID-32: their INS counts as qualified.",
    ),
}
_ACK_TIMEOUT: Final = Key(Duration(), default=30.0, about="How long to wait for the answer.")
DESTINATIONS: Final[dict[str, Record]] = {
    "mllp": Record(
        {
            **_ANY_DESTINATION,
            "connect": Key(AddressShape(), required=True, about="Address and port of the receiver."),
            "connections": Key(Number(1, 256), default=1, about="How many patients are served at a time."),
            "ack_timeout": _ACK_TIMEOUT,
            "ack_match": Key(
                Choice("control_id", "any"),
                default="control_id",
                about="MSA-2 must be ours, or may be anything: some receivers leave it empty.",
            ),
            "answers": Key(ListOf(_ANSWER), about="How to read what this receiver answers, before the usual rules."),
        }
    ),
    "directory": Record(
        {
            **_ANY_DESTINATION,
            "path": Key(TextShape(), required=True, about=f"Folder into which files are written; {_FROM}"),
            "file_name": Key(
                TemplateShape(paths=False), about="Ids and codes only: {site}-{event}-{id}.hl7. Usual: {id}.hl7"
            ),
        }
    ),
    "mqtt": Record(
        {
            **_ANY_DESTINATION,
            "connect": Key(TextShape(), required=True, about="mqtts://host:8883, or mqtt://host."),
            "topic": Key(TemplateShape(paths=False), required=True, about="Ids and codes only: ght/{site}/adt/{event}"),
            "qos": Key(Number(0, 2), default=1, about="Quality of service (MQTT 3.1.1 § 4.3)."),
            "client_id": Key(TextShape(), default="", about="As the broker knows us."),
            "username": Key(TextShape(), default="", about="For the broker."),
            "password": Key(TextShape(), default="", about="For the broker: ${secret:name}, never the word itself."),
            "ack_timeout": _ACK_TIMEOUT,
        }
    ),
}


def any_of(records: dict[str, Record]) -> dict[str, Any]:
    """Return the JSON Schema of a record chosen by its `type`."""
    chosen = []
    for name, record in records.items():
        made = record.schema()
        made["properties"]["type"] = {"const": name, "description": record.keys["type"].about}
        chosen.append(made)
    return {"anyOf": chosen}
