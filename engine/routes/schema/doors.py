"""What `sources:` and `destinations:` take, by type."""

from __future__ import annotations

from typing import Any, Final

from engine.identity.gates import MAY_HAVE
from engine.routes.schema.words import OUTGOING, AddressShape, BrokerShape, Charset, Network, Size
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
    "site": Key(TextShape(), default="", about="The establishment whose system this is; or site_from."),
    "site_from": Key(_SITE_FROM, about="For a system that several establishments share: each message says which."),
    "routing": Key(
        NameShape(),
        default="main",
        about="Routing group: messages of its sources keep one order. Those of another group may pass them.",
    ),
    "format": Key(Choice(*FORMATS, "auto"), default="hl7v2", about="What the bytes are; auto looks at each message."),
    "charset": Key(Charset(), default="", about="What this system really emits; unless said, the site's."),
    "processing": Key(
        ListOf(TextShape(), single=True),
        about="MSH-11 (H-11) that is taken to the routes. Unless said, P. Others are filtered (E-PROCESSING).",
    ),
    "when_unavailable": Key(
        Choice("wait", "ar", "ae"),
        default="wait",
        about="When nothing can be stored: wait (no answer, nothing is read, the sender keeps its message), or answer "
        "AR or AE. A folder waits in any case.",
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
    "dedupe": Key(
        Duration(),
        default=600.0,
        about="How long the same message sent again is a retransmission, and ends as duplicate.",
    ),
    "max_size": Key(Size(), default=20_000_000, about="Longest message that is taken; what is longer is refused."),
    "untyped": Key(
        TextShape(),
        default="",
        about="The site's authority (ipp) that numbers the first PID-3 repetition, where CX-4 is empty and CX-5 is "
        "empty or PI.",
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
        "from": Key(Raw(PathShape()), about="Where their names stand; unless said, OBX[2=FIC]-5[*]."),
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
                about="When to answer: after_store, as soon as the message is on disk; after_route, when its routes "
                "have run, so that `reject` can answer AE or AR.",
            ),
            "answer_within": Key(
                Duration(),
                default=10.0,
                about="With ack: after_route, how long routes may take; then it is answered AA, since it is on disk.",
            ),
            "missing_control_id": Key(
                Choice("refuse", "accept"),
                default="refuse",
                about="A message without MSH-10: refused with AE 101, or taken.",
            ),
            "acknowledge": Key(
                Choice("as_asked", "always"),
                default="as_asked",
                about="Answer as MSH-15 and MSH-16 ask, or always: for senders that ask for none and wait for one.",
            ),
            "allow": Key(ListOf(Network(), single=True), about="Who may connect; unless said, anybody."),
            "max_connections": Key(
                Number(1, 100_000), default=1000, about="Connections at a time; more are closed at once."
            ),
            "max_connections_per_peer": Key(Number(1, 100_000), default=250, about="The same from one address."),
            "idle_timeout": Key(Duration(), default=0.0, about="Silence after which a connection is closed; 0: never."),
            "block_timeout": Key(
                Duration(),
                default=60.0,
                about="Silence in the middle of a message, or our answers left unread: the connection is closed.",
            ),
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
                about="What becomes of a file that was taken: it is moved. Unless said, to done/%Y-%m.",
            ),
            "poll": Key(Duration(), default=1.0, about="How often it looks."),
            "attachments": Key(
                _ATTACHMENTS, about="Files beside a message, which it names: read with it. Unless said, none."
            ),
            "answer_files": Key(
                _ANSWER_FILES, about="An acknowledgement written for each file (HPRIM: context ERR). Unless said, none."
            ),
        }
    ),
}

_DELAYS: Final = Record(
    {
        "first": Key(Duration(), about="Before the second attempt; each further one waits twice as long."),
        "longest": Key(Duration(), about="No delay is longer than this."),
    }
)
_RETRY: Final = Record(
    {
        "connect": Key(_DELAYS, about="No connection. Unless said, from 1s to 5m."),
        "unknown": Key(
            _DELAYS, about="No answer, or none that can be read: it may have the message. Unless said, from 30s to 10m."
        ),
        "busy": Key(
            _DELAYS,
            about="It asks for later (206 or 207 in ERR-3, AR without reason, answers: as busy). Unless said, "
            "from 30s to 15m.",
        ),
        "attempts": Key(
            Number(1, 10_000),
            about="Attempts on a message that fails while others are accepted; then it is dead (E-POISON). An outage "
            "counts for nothing. Unless said, 10.",
        ),
        "refused_attempts": Key(
            Number(1, 1_000), about="The same for AE and CE without a code of table 0357 in ERR-3. Unless said, 2."
        ),
    }
)
_ANSWER: Final = Record(
    {
        "code": Key(TextShape(), default="", about='Where the answer has one of these in ERR-3.1 or MSA-1: "206,207".'),
        "text": Key(TextShape(), default="", about="Where the answer says this: a text, or /a regular expression/."),
        "as": Key(
            Choice("ok", "busy", "refused"),
            required=True,
            about="ok: delivered. busy: later again (retry: busy). refused: a dead letter.",
        ),
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
            about="What waits behind it for its patient goes on (pass), waits for an operator (park), or the whole "
            "destination stops (block).",
        ),
        "park_max": Key(
            Duration(),
            default=1800.0,
            about="With park, after how long an alert says that the lane still waits. It goes on waiting.",
        ),
        "results_wait": Key(
            Duration(),
            default=300.0,
            about="With park, after how long results pass the dead letter; not if it is an identity event, or a result "
            "itself: then they wait too.",
        ),
    }
)
_ORDER: Final = (
    "What leaves one after the other: patient, all of one patient; [keys], all with the same value of these keys; all, "
    "everything; none, nothing. Unless said,"
)
_DEAD: Final = "What a dead letter does to what waits behind it. Unless said,"
ORDER_KEY: Final = Key(ORDER_BY, about=f"{_ORDER} as the destination says.")
"""Of a route, or of an entry of its `to:`."""
DEAD_LETTER_KEY: Final = Key(DEAD_LETTER, about=f"{_DEAD} as the destination says.")
"""Of a route, or of an entry of its `to:`."""
_ANY_DESTINATION: Final[dict[str, Key]] = {
    "type": Key(Choice("mllp", "directory", "mqtt"), required=True, about="How messages leave."),
    "order_by": Key(ORDER_BY, about=f"{_ORDER} patient."),
    "encode": Key(
        _ENCODE, about="Charset, MSH-10; or as_received: nothing is changed but what a step or the gate touched."
    ),
    "dead_letter": Key(DEAD_LETTER, about=f"{_DEAD} lane: pass."),
    "retry": Key(_RETRY, about="Delays between attempts, by what happened, and how many."),
    "connect_timeout": Key(
        Duration(), default=10.0, about="How long to wait for a connection; then it counts as none."
    ),
    "contact": Key(
        _CONTACT,
        about="Informative: whom to call (name, phone, hours); shown beside its troubles.",
    ),
    "renamed_from": _RENAMED,
    "production": Key(
        Choice("yes", "no"),
        about="Whether real patients are treated with what it gets: no test identity goes there. Unless said, no.",
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
_ACK_TIMEOUT: Final = Key(
    Duration(), default=30.0, about="How long to wait for the answer; then it is sent again (retry: unknown)."
)
DESTINATIONS: Final[dict[str, Record]] = {
    "mllp": Record(
        {
            **_ANY_DESTINATION,
            "connect": Key(AddressShape(), required=True, about="Address and port of the receiver."),
            "connections": Key(
                Number(1, 256),
                default=1,
                about="How many connections, so how many patients are served at a time. 1: all strictly in turn.",
            ),
            "ack_timeout": _ACK_TIMEOUT,
            "ack_match": Key(
                Choice("control_id", "any"),
                default="control_id",
                about="MSA-2 must be the control id that was sent, or may be anything: some receivers leave it empty.",
            ),
            "answers": Key(ListOf(_ANSWER), about="Rules, the first that fits: how to read this receiver's answers."),
        }
    ),
    "directory": Record(
        {
            **_ANY_DESTINATION,
            "path": Key(TextShape(), required=True, about=f"Folder into which files are written; {_FROM}"),
            "file_name": Key(
                TemplateShape(paths=False), about="Ids and codes only: {site}-{event}-{id}.hl7. Unless said, {id}.hl7"
            ),
        }
    ),
    "mqtt": Record(
        {
            **_ANY_DESTINATION,
            "connect": Key(BrokerShape(), required=True, about="mqtts://host:8883, or mqtt://host."),
            "topic": Key(TemplateShape(paths=False), required=True, about="Ids and codes only: ght/{site}/adt/{event}"),
            "qos": Key(Number(0, 2), default=1, about="Quality of service (MQTT 3.1.1 § 4.3)."),
            "client_id": Key(TextShape(), default="", about="As the broker knows us. Unless said, passerelle-NAME."),
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
