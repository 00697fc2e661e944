"""
The configuration as data: what routes.yaml says, checked and typed, without any YAML left.

Built by the loader (routes.loader), read by every room above. All durations are seconds, all sizes bytes.
Nothing here changes after the load: a new file makes a new Configuration. All are values: equal when they say
the same, whatever files, layout and order of keys they were written in. What is compiled isn't compared; the
`digest` of its declaration stands for it.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.identity.authorities import Authorities, Authority
from engine.identity.gates import Gate
from engine.identity.patients import PatientNumbers
from engine.routes.renaming import Renamed

if TYPE_CHECKING:
    from engine.identity.policy import IdentityPolicy
    from engine.parsers.paths import Path
    from engine.routes.cases import Case
    from engine.routes.when import Clause
    from engine.transforms.step import KeyReader, Step
    from engine.transforms.tables import Table
    from engine.transforms.text import Text

__all__ = [
    "AnswerRule",
    "Authorities",
    "Authority",
    "Configuration",
    "DeadLetter",
    "Delays",
    "Destination",
    "Encode",
    "Exit",
    "IdentitySection",
    "Key",
    "Order",
    "Retry",
    "Route",
    "Site",
    "SiteFrom",
    "Source",
    "split_variant",
    "variant_of",
]


def variant_of(site: str, untyped: str) -> str:
    """Name what steps, keys and conditions are compiled for: a site, and the `untyped:` of its source."""
    return f"{site}/{untyped}" if untyped else site


def split_variant(variant: str) -> tuple[str, str]:
    """Return site and `untyped:` of a variant."""
    site, _, untyped = variant.partition("/")
    return site, untyped


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An establishment of the group."""

    name: str
    label: str = ""
    finess_ej: str = ""
    finess_eg: str = ""
    charset: str = "cp1252"
    """Python codec of what its legacy systems really emit, when MSH-18 is silent or wrong."""
    timezone: str = "Europe/Paris"
    authorities: Mapping[str, Authority] = field(default_factory=dict, hash=False)
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    """`CPAGE/PI` -> authority name: other spellings (CX-4.1 or CX-4 as text, `/`, CX-5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySection:
    """`identity:` of the file: how patients are known across the sites; without it nothing of that is done."""

    registry: str = "own"
    """`own` (Passerelle numbers the patients of the group) or `follow` (another registry does)."""
    prefix: str = ""
    width: int = 9
    check: str = "mod97"
    """Of the numbers that it gives: what stands in front, digits of the counter, check digits (`mod97`, `none`)."""
    on_merge: str = "review"
    """A merge of one site that joins two patients of the group: `review` or `emit`."""
    contracts: tuple[tuple[str, ...], ...] = ()
    """Sites that trust each other's qualified INS, each list sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFrom:
    """How a message of a shared system tells its site: the first path with a value, through a table."""

    paths: tuple[Path, ...] = field(compare=False)
    table: Mapping[str, str] = field(hash=False)
    """Value -> site name."""
    table_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFiles:
    """`attachments:` of a folder: the files that a message names and that are read with it."""

    path: Path
    """Where their names stand, in the delimiters of the message: `folder~name~kind`."""
    wait: float = 600.0
    max_size: int = 20_000_000
    on_missing: str = "dead_letter"
    """`dead_letter` or `take`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFiles:
    """`answer_files:` of a folder: an acknowledgement for each file."""

    path: str
    extension: str = ".ERR"
    when: str = "always"
    """`always` or `refused`."""
    root: str = field(default="", compare=False)
    """As Source.root."""

    @property
    def folder(self) -> pathlib.Path:
        """Where they are written."""
        return pathlib.Path(self.root, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentsRule:
    """`fragments:` of a source: what becomes of a part of a longer message whose other parts aren't in its block."""

    join: float = 600.0
    """How long it waits for them, in seconds; 0: it doesn't."""
    then: str = "dead_letter"
    """`dead_letter`, or `deliver`: it goes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedRule:
    """`unfinished:` of a folder: files that don't end as their format ends (parsers.ending)."""

    wait: float = 600.0
    """Seconds that such a file may rest before anything is done with it."""
    then: str = "refuse"
    """`refuse` or `take`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A door through which messages come."""

    name: str
    type: str
    """`mllp` or `directory`."""
    site: str = ""
    site_from: SiteFrom | None = None
    routing: str = "main"
    format: str = "hl7v2"
    """`hl7v2`, `hprim-sante`, `hprim-medecin` or `auto`."""
    charset: str = ""
    """Python codec; empty: the site's."""
    may_assert: tuple[str, ...] = ()
    """Sites whose identifiers it may assert, sorted; empty: those of the message's site."""
    processing: frozenset[str] = frozenset({"P"})
    """MSH-11.1 / H-11 values that are taken to the routes; others are filtered. Empty value counts as P."""
    ack: str = "after_store"
    """`after_store` or `after_route`."""
    answer_within: float = 10.0
    when_unavailable: str = "wait"
    """`wait`, `ar` or `ae`."""
    missing_control_id: str = "refuse"
    """`refuse` (AE 101) or `accept`."""
    acknowledge: str = "as_asked"
    """`as_asked` by MSH-15 and MSH-16, or `always`: senders that ask for no answer and wait for one."""
    batch: str = "split"
    """`whole` (one message a block) or `split` (one per MSH)."""
    fragments: FragmentsRule = FragmentsRule()
    dedupe: float = 600.0
    max_size: int = 20_000_000
    contact: Mapping[str, str] = field(default_factory=dict, hash=False)
    # mllp
    host: str = ""
    port: int = 0
    allow: tuple[str, ...] = ()
    """Networks (CIDR) that may connect; empty: any."""
    max_connections: int = 1000
    max_connections_per_peer: int = 250
    """From one address."""
    idle_timeout: float = 0.0
    """Seconds without a byte before a connection is closed; 0: never."""
    block_timeout: float = 60.0
    """Seconds without a byte in the middle of a block, or without reading our answers, before it is closed."""
    # directory
    path: str = ""
    pattern: str = "*"
    settle: float = 5.0
    companion: str = ""
    """Extension of the file that says `complete` (`.ok`), instead of settling."""
    move_to: str = "done/%Y-%m"
    """Where a taken file goes, below `path`; strftime."""
    poll: float = 1.0
    unfinished: UnfinishedRule = UnfinishedRule()
    attachments: AttachedFiles | None = None
    answer_files: AnswerFiles | None = None
    root: str = field(default="", compare=False)
    """Folder of routes.yaml, absolute: what a relative `path` starts from."""
    renamed_from: str = ""
    digest: str = ""
    """Of its declaration."""
    untyped: str = ""
    """Authority name (`ipp`) given to the first PID-3 repetition without CX-4 and with CX-5 empty or PI."""

    @property
    def folder(self) -> pathlib.Path:
        """The folder that is watched."""
        return pathlib.Path(self.root, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """How a destination wants its bytes. `as_received`: nothing is changed that no step touched."""

    as_received: bool = False
    charset: str = "utf-8"
    """Python codec."""
    msh18: str = "UNICODE UTF-8"
    """MSH-18 to match."""
    control_id: str = "own"
    """`own` (core.own_ids) or `as_received`."""
    unencodable: str = "dead_letter"
    """`dead_letter` or `replace` (`?`, a finding)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """`answers:` of a destination: how to read what this receiver answers."""

    codes: frozenset[str]
    """Values of ERR-3.1 (or MSA-1) that it is about; empty: any."""
    text: Callable[[str], bool] | None = field(compare=False)
    """Search in ERR-8, ERR-3.2, ERR-1.4, MSA-3; None: any."""
    judged: str
    """`ok`, `busy` or `refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What a dead delivery does to its lanes."""

    lane: str = "pass"
    """`pass`, `park` or `block`."""
    park_max: float = 1800.0
    """`park`: seconds after which an alert says that the lane still waits; it goes on waiting."""
    results_wait: float = 300.0
    """`park`: seconds after which results pass it, unless it is an identity event or a result itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """First and longest delay between attempts, seconds; the delay doubles, with jitter."""

    first: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`retry:` of a destination (ARCHITECTURE.md, Judging an answer)."""

    connect: Delays = Delays(first=1.0, longest=300.0)
    unknown: Delays = Delays(first=30.0, longest=600.0)
    busy: Delays = Delays(first=30.0, longest=900.0)
    attempts: int = 10
    """Spent attempts after which a delivery that alone fails is dead (E-POISON)."""
    refused_attempts: int = 2
    """Spent attempts for AE/CE without ERR-3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`order_by:`: which deliveries leave one after the other."""

    by: str = "patient"
    """`patient`, `keys`, `all` or `none`."""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A receiver."""

    name: str
    type: str
    """`mllp`, `directory` or `mqtt`."""
    order: Order = Order()
    encode: Encode = Encode()
    dead_letter: DeadLetter = DeadLetter()
    retry: Retry = Retry()
    answers: tuple[AnswerRule, ...] = ()
    ack_match: str = "control_id"
    """`control_id` or `any`."""
    connections: int = 1
    ack_timeout: float = 30.0
    connect_timeout: float = 10.0
    production: bool = False
    """Whether real patients are looked after with what it gets: no test identity leaves for it."""
    may_have: frozenset[str] = frozenset()
    """`ins`, `insurance` (identity.gates)."""
    trust_source: frozenset[str] = frozenset()
    """Sources whose INS counts as qualified where their messages say no status."""
    contact: Mapping[str, str] = field(default_factory=dict, hash=False)
    # mllp
    host: str = ""
    port: int = 0
    # directory
    path: str = ""
    file_name: str = "{id}.hl7"
    """As written; compiled in `target`."""
    root: str = field(default="", compare=False)
    """As Source.root."""
    # mqtt
    url: str = ""
    topic: str = ""
    """As written; compiled in `target`."""
    qos: int = 1
    client_id: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    target: Text | None = field(default=None, compare=False)
    """The topic or file name of one delivery: ids and codes only."""
    renamed_from: str = ""
    digest: str = ""
    """Of its declaration, without secrets: those are compared as they are."""
    gate: Gate = field(init=False, repr=False, compare=False)
    """Made of `production`, `may_have` and `trust_source`: no destination is without one."""

    def __post_init__(self) -> None:
        """Compile the gate."""
        gate = Gate(self.name, production=self.production, may_have=self.may_have, trusted=self.trust_source)
        object.__setattr__(self, "gate", gate)

    @property
    def folder(self) -> pathlib.Path:
        """The folder into which files are written."""
        return pathlib.Path(self.root, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A declared or built-in key: indexed (hashed) for search, usable in `when:` and `order_by:`."""

    name: str
    paths: tuple[Path, ...] = field(compare=False)
    """The first that has a value; not bound to a site."""
    hprim: tuple[Path, ...] = field(default=(), compare=False)
    authority: str = ""
    """The authority that a path asks for (`ipp` of `PID-3[@ipp].1`); part of what is hashed."""
    read: KeyReader | None = field(default=None, compare=False)
    """Reads the values of a message, for its own site."""
    digest: str = ""
    """Of its declaration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """One entry of `to:`."""

    destination: str
    when: Callable[[Any], bool] | None = field(default=None, compare=False)
    when_text: str = ""
    condition: Clause | None = field(default=None, compare=False)
    """What `when` asks, in parts: to explain it."""
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict, compare=False)
    """By variant (`variant_of`; "" when the site is unknown): compiled with that site's values."""
    dead_letter: DeadLetter | None = None
    order: Order | None = None
    site: str = ""
    """Only messages of this site: one of those that an entry `pacs_{site}` stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What happens to the messages of some sources."""

    name: str
    sources: tuple[str, ...]
    when: Callable[[Any], bool] | None = field(default=None, compare=False)
    when_text: str = ""
    condition: Clause | None = field(default=None, compare=False)
    """What `when` asks, in parts: to explain it."""
    on_no_match: str = "unrouted"
    """`unrouted` (no route wanted it), `filter` (counted), `dead_letter`."""
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict, compare=False)
    """By variant, as in Exit."""
    to: tuple[Exit, ...] = ()
    by_site: bool = False
    """Whether some entry of `to:` is open to messages of one site only."""
    calls: frozenset[str] = frozenset()
    """Files with code of the hospital's own that its steps call."""
    owner: str = ""
    elsewhere: frozenset[str] = frozenset()
    """Destinations to which its verbs of identity send what nobody knows (`send_to`)."""
    renamed_from: str = ""
    digest: str = ""
    """Of its declaration: named runs, templates and defaults count, tables and sites don't."""

    def exit_to(self, destination: str) -> Exit | None:
        """Return the entry of `to:` for a destination, or what stands for it where a step sends elsewhere."""
        found = next((one for one in self.to if one.destination == destination), None)
        return Exit(destination=destination) if found is None and destination in self.elsewhere else found

    def to_of(self, site: str) -> tuple[Exit, ...]:
        """Return the entries of `to:` that are open to messages of a site."""
        return tuple([one for one in self.to if one.site in ("", site)]) if self.by_site else self.to


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Configuration:
    """Everything that routes.yaml (and what it includes) says."""

    hash: str
    """Of the bytes of all files read and of the environment asked for: names this configuration in the store."""
    text: str
    """All files, as read, secrets not resolved."""
    files: tuple[str, ...]
    group_authorities: Mapping[str, Authority]
    sites: Mapping[str, Site]
    sources: Mapping[str, Source]
    """Those of former names (`renamed_from:`) are found too, and in no list: what was received under one still is."""
    destinations: Mapping[str, Destination]
    routes: tuple[Route, ...]
    keys: Mapping[str, Key]
    lists: Mapping[str, frozenset[str]]
    routes_of: Mapping[str, tuple[Route, ...]]
    """By source name, in the order of the file."""
    authorities: Authorities = field(default_factory=Authorities)
    """Recognises the identifiers of every site."""
    identity: IdentitySection | None = None
    policies: Mapping[str, IdentityPolicy] = field(default_factory=dict)
    """By source, with a section `identity`: the rules for its messages."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    table_digests: Mapping[str, str] = field(default_factory=dict)
    """By table, of the bytes of its file."""
    key_readers: Mapping[str, KeyReader] = field(default_factory=dict)
    """What a Context gets: the readers of all declared keys."""
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Every file that was read, by the name under which findings show it: enough to load it again."""
    included: Mapping[tuple[pathlib.Path, str], tuple[pathlib.Path, ...]] = field(default_factory=dict, repr=False)
    """What the patterns under `include:` met: (folder, pattern) -> files."""
    cases: tuple[Case, ...] = ()
    """Tests, where they were asked for (loader.check)."""
    numbers: PatientNumbers = field(default_factory=PatientNumbers, repr=False)
    """Remembers the hashed references of patients."""
    by_patient: tuple[str, ...] = field(init=False, repr=False)
    """Destinations of which some deliveries are ordered by patient."""

    def __post_init__(self) -> None:
        """Look up what is asked of every decision."""
        by_exit = {one.destination for route in self.routes for one in route.to if one.order == Order()}
        found = [name for name, one in self.destinations.items() if one.order.by == "patient" or name in by_exit]
        object.__setattr__(self, "by_patient", tuple(found))
        if former := {one.renamed_from: name for name, one in self.sources.items() if one.renamed_from}:
            object.__setattr__(self, "sources", Renamed(self.sources, former))
            object.__setattr__(self, "policies", Renamed(self.policies, former))

    def _said(self) -> tuple[object, ...]:
        beside = {name: data for name, data in self.contents.items() if name not in self.files}  # tables, templates
        return (
            self.sites, self.sources, self.destinations, self.routes, self.keys, self.lists, self.group_authorities,
            beside, self.identity,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return self._said() == other._said() if isinstance(other, Configuration) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.routes, *(frozenset(part.values()) for part in (self.sources, self.destinations, self.keys))))
