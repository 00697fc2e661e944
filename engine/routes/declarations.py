"""Sites, keys, lists, tables, sources and destinations: from checked values to the configuration's records."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from engine.core.expressions import ExpressionRefused, compile_expression
from engine.identity.authorities import Authorities, Authority, SiteAuthorities
from engine.identity.spellings import INS_ARC
from engine.parsers.paths import Path
from engine.routes import schema
from engine.routes.configuration import (
    AnswerRule,
    DeadLetter,
    Delays,
    Destination,
    Encode,
    FragmentsRule,
    Key,
    Order,
    Retry,
    Site,
    SiteFrom,
    Source,
    variant_of,
)
from engine.routes.directories import directory_source
from engine.routes.identityreading import sites_asserted
from engine.routes.names import Names
from engine.routes.reading import Reading
from engine.routes.suggestions import suggest
from engine.routes.when import PATIENT, WORDS
from engine.transforms.nodes import Entries, Items, Node, Scalar, Word
from engine.transforms.shapes import NameShape, TextShape, Unreadable, refuse, shown
from engine.transforms.step import CONTEXT_NAMES, Context, KeyReader

Named = list[tuple[Scalar, Node]]
"""The entries of one section, over all files."""

FINESS_TABLE: Final = "finess_to_site"
_NAME: Final = NameShape()


def read_names(entries: Named, reading: Reading) -> Iterable[tuple[str, Scalar, Node]]:
    """Yield the entries whose key is a name."""
    for key, node in entries:
        name = reading.read(_NAME, key)
        if name is not None:
            yield str(name), key, node


def refused_names(sections: Mapping[str, Named], made: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Return by section the names that are declared and were refused: reported once, not where they are used."""
    return {section: {key.text for key, _ in sections[section]}.difference(names) for section, names in made.items()}


def read_authorities(pairs: list[tuple[Word, dict[str, Any]]], site: str, reading: Reading) -> dict[str, Authority]:
    """Make the authorities of a site, or of the group (`site` empty)."""
    made: dict[str, Authority] = {}
    for name, values in pairs:
        oid, finess = values["oid"], values["finess"]
        if oid and finess:
            sentence = f"the authority {name} has an OID and a FINESS: one of both names it"
            reading.error(name.node, "E118", sentence, "keep oid:")
            continue
        if not oid and not finess:
            sentence = f"the authority {name} needs one of oid and finess"
            reading.error(name.node, "E105", sentence, "write oid: 1.2.250.…")
            continue
        if f"{oid}.".startswith(INS_ARC):
            sentence = f"{oid} is an OID of the INS, which the nation gives: no hospital's numbers stand under it"
            reading.error(name.node, "E118", sentence, "write the hospital's own OID; the INS is known without one")
            continue
        if any(one.type == values["type"] and one.oid == oid and one.hd2 == (oid or finess) for one in made.values()):
            reading.error(
                name.node,
                "E118",
                f"{name} has OID and type of another authority of this site",
                "one is enough: use aliases",
            )
            continue
        made[str(name)] = Authority(
            name=str(name), site=site, type=values["type"], oid=oid, hd1=values["hd1"], hd2=oid or finess,
            hd3=values["hd3"] or ("ISO" if oid else "M"),
        )  # fmt: skip
    return made


def read_sites(entries: Named, group: Mapping[str, Authority], reading: Reading, names: Names) -> None:
    """Read `sites:` into `names.sites`; `group`: the authorities of the group, which are no site's."""
    for name, key, node in read_names(entries, reading):
        with reading.declaring("sites", name):
            before = reading.errors
            values = reading.read(schema.SITE, node)
            if values is not None:
                names.sites[name] = _site(name, values, reading, before)
                _check_shared(names, name, key, reading)
                _check_own(names.sites[name], group, key, reading)


def _site(name: str, values: dict[str, Any], reading: Reading, before: int) -> Site:
    """Make a site; `before`: how many errors there were before it was read."""
    authorities = read_authorities(values["authorities"] or [], name, reading)
    aliases: dict[str, str] = {}
    for spelling, target in values["aliases"] or []:
        if target in authorities and "/" in spelling:
            aliases[str(spelling)] = str(target)
        elif "/" not in spelling:
            reading.error(spelling.node, "E110", f"{spelling} doesn't say which CX-5", f'write "{spelling}/PI"')
        elif reading.errors == before:  # otherwise it may stand for the authority that was refused
            sentence = f"the site {name} declares no authority {target}"
            reading.error(target.node, "E133", sentence, suggest(target, authorities))
    return Site(
        name=name, label=values["label"], finess_ej=values["finess_ej"], finess_eg=values["finess_eg"],
        charset=values["charset"], timezone=values["timezone"], authorities=authorities, aliases=aliases,
    )  # fmt: skip


def _check_shared(names: Names, name: str, key: Scalar, reading: Reading) -> None:
    """Two sites may share an authority only when they spell it alike."""
    mine = names.sites[name]
    for other in names.sites.values():
        if other.name == name:
            continue
        for one in mine.authorities.values():
            for theirs in other.authorities.values():
                same = one.key == theirs.key
                if same and (one.hd1, one.hd2, one.hd3) != (theirs.hd1, theirs.hd2, theirs.hd3):
                    sentence = f"{one.name} has OID and type of {other.name}'s {theirs.name}, and another name"
                    reading.error(key, "E118", sentence, "an authority is (OID, type): give it one spelling")


def _check_own(site: Site, group: Mapping[str, Authority], key: Scalar, reading: Reading) -> None:
    """A site's number under the group's authority would be taken for the group's number of another patient."""
    numbered = {one.key: one.name for one in group.values()}
    for one in site.authorities.values():
        if one.key in numbered:
            sentence = f"{one.name} of {site.name} has OID and type of the group's own {numbered[one.key]}"
            reading.error(key, "E118", sentence, "write the OID under which this hospital gives its numbers")


def make_authorities(sites: Iterable[Site], group: dict[str, Authority]) -> Authorities:
    """Gather what recognises identifiers."""
    return Authorities(
        [
            SiteAuthorities(
                name=site.name,
                finess=(site.finess_ej, site.finess_eg),
                authorities=site.authorities,
                aliases=site.aliases,
            )
            for site in sites
        ],
        group,
    )


def read_lists(entries: Named, reading: Reading, names: Names) -> None:
    """Read `lists:` into `names.lists`, beside the shipped ones."""
    for key, node in entries:
        if key.text in names.lists:
            reading.error(key, "E118", f"the list {key.text} is shipped", "choose another name")
            continue
        if not isinstance(node, Items):
            reading.error(node, "E106", "a list is wanted here", "write [S, A]")
            names.lists[key.text] = frozenset()  # that there is none would only follow
            continue
        names.lists[key.text] = frozenset(str(word) for item in node.items if (word := reading.read(TextShape(), item)))


# --- keys ------------------------------------------------------------------------------------------------


def read_keys(entries: Named, reading: Reading, names: Names, variants: Callable[[], list[str]]) -> dict[str, Key]:
    """Read `keys:`; each is compiled for every variant that a source brings."""
    keys: dict[str, Key] = {}
    for name, key, node in read_names(entries, reading):
        if name in CONTEXT_NAMES or name in WORDS or name in ("control", "value", "ins", "group", PATIENT):
            reading.error(key, "E118", f"{name} is a name that Passerelle has", "choose another name")
            continue
        values = reading.read(schema.KEY, node)
        if values is None:
            continue
        if values["path"] is None and values["hprim"] is None:
            reading.error(key, "E105", f"the key {name} has no path", "add path: or hprim:")
            continue
        try:
            keys[name] = _key(name, values, variants(), reading)
        except Unreadable:
            continue
        names.key_names.add(name)
    return keys


def _key(name: str, values: dict[str, Any], variants: list[str], reading: Reading) -> Key:
    by_variant = [reading.paths_of(node, variants) for node in values["path"] or []]
    hprim = tuple(reading.path(node) for node in values["hprim"] or [])
    paths = tuple(Path.parse(str(reading.word(node))) for node in values["path"] or [])
    authority = next((each for path in paths for each in path.authorities), "ipp" if not paths and hprim else "")
    bound = {one: tuple(each[one] for each in by_variant if one in each) for one in ["", *variants]}
    return Key(name=name, paths=paths, hprim=hprim, authority=authority, read=_key_reader(bound, hprim))


def _key_reader(bound: dict[str, tuple[Path, ...]], hprim: tuple[Path, ...]) -> KeyReader:
    nothing: tuple[Path, ...] = ()

    def read(context: Context) -> list[str]:
        paths = bound.get(context.variant, nothing) if context.format == "hl7v2" else hprim
        for path in paths:
            values = [value for value in path.read(context.message) if value and value != '""']
            if values:
                return values
        return []

    return read


# --- sources ---------------------------------------------------------------------------------------------


def read_sources(entries: Named, reading: Reading, names: Names) -> dict[str, Source]:
    """Read `sources:`."""
    sources: dict[str, Source] = {}
    for name, _, node in read_names(entries, reading):
        with reading.declaring("sources", name):
            record = _record_of(node, schema.SOURCES, reading)
            values = None if record is None else _at_its_site(node, reading, names).read(record, node)
            if values is None or not isinstance(node, Entries):
                continue
            source = _source(name, values, node, reading, names)
            if source is None:
                continue
            sources[name] = source
    return sources


def _at_its_site(node: Node, reading: Reading, names: Names) -> Reading:
    """Return what reads a source: with the values of its site within reach, where it has one."""
    site = node.get("site") if isinstance(node, Entries) else None
    name = str(reading.read(TextShape(), site) or "") if isinstance(site, Scalar) else ""
    return reading.at_site(name) if name in names.sites else reading


def _record_of(node: Node, records: dict[str, Any], reading: Reading) -> Any:
    """Choose the record by `type:`."""
    if not isinstance(node, Entries):
        reading.error(
            node, "E106", f"a mapping is wanted here, this is a {node.kind}", f"write type: {' | '.join(records)}"
        )
        return None
    kind = node.get("type")
    if kind is None:
        reading.error(node, "E105", "type is missing", f"add type: {' | '.join(records)}")
        return None
    if not isinstance(kind, Scalar) or kind.text not in records:
        reading.error(kind, "E110", f"{shown(kind)} isn't possible here", suggest(shown(kind), records))
        return None
    return records[kind.text]


def _source(name: str, values: dict[str, Any], node: Entries, reading: Reading, names: Names) -> Source | None:
    site = str(values["site"])
    if site and site not in names.sites:
        hint = suggest(site, names.sites)
        reading.error(node.get("site") or node, "E116", f"there is no site {site}", hint, about=("sites", site))
        return None
    if site and values["site_from"] is not None:
        reading.error(node.key("site_from") or node, "E118", "site and site_from say the same thing", "keep one")
        return None
    try:
        site_from = None if values["site_from"] is None else _site_from(values["site_from"], reading, names)
    except Unreadable:
        return None
    untyped = str(values["untyped"])
    reached = [site] if site else sorted(set(site_from.table.values())) if site_from else []
    for one in reached if untyped else []:
        if untyped not in names.sites[one].authorities:
            sentence = f"the site {one} declares no authority {untyped}"
            hint = suggest(untyped, names.sites[one].authorities)
            reading.error(node.get("untyped") or node, "E133", sentence, hint, about=("sites", one))
            return None
    try:
        may_assert = sites_asserted(values["may_assert"] or (), reading, names)
    except Unreadable:
        return None
    common: dict[str, Any] = {name_: values[name_] for name_ in _COMMON}
    try:
        door = _mllp_source(values) if values["type"] == "mllp" else directory_source(values, node, reading)
    except Unreadable:
        return None
    common = {key: str(value) if isinstance(value, Word) else value for key, value in common.items()}
    return Source(
        name=name, site=site, site_from=site_from, untyped=untyped, may_assert=may_assert,
        processing=frozenset(str(word) for word in values["processing"] or ["P"]),
        contact={str(word): str(text) for word, text in values["contact"] or []},
        renamed_from=str(values["renamed_from"]), fragments=_fragments(values["fragments"]), **common, **door,
    )  # fmt: skip


def _fragments(value: Any) -> FragmentsRule:
    if value is None:
        return FragmentsRule()
    if isinstance(value, dict):
        return FragmentsRule(join=value["join"], then=str(value["then"]))
    return FragmentsRule(join=0.0, then=str(value))


_COMMON: Final = (
    "type", "routing", "format", "charset", "when_unavailable", "batch", "dedupe", "max_size",
)  # fmt: skip


def _mllp_source(values: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "ack", "acknowledge", "answer_within", "missing_control_id", "max_connections", "max_connections_per_peer",
        "idle_timeout", "block_timeout",
    )  # fmt: skip
    return {
        "host": values["listen"].host, "port": values["listen"].port, "allow": tuple(values["allow"] or ()),
        **{name: values[name] for name in kept},
    }  # fmt: skip


def _site_from(values: dict[str, Any], reading: Reading, names: Names) -> SiteFrom:
    paths = tuple(reading.path(node) for node in values["path"])
    node = values["table"]
    name = str(reading.word(node))
    if name == FINESS_TABLE:
        table: dict[str, str] = {}
        for site in names.sites.values():
            for finess in filter(None, (site.finess_ej, site.finess_eg)):
                if table.setdefault(finess, site.name) != site.name:
                    raise refuse(
                        reading, node, "E118", f"{finess} is the FINESS of two sites", "declare a table of your own"
                    )
        return SiteFrom(paths=paths, table=table, table_name=name)
    declared = names.tables.get(name)
    if declared is None and name in names.refused_tables:
        raise Unreadable
    if declared is None:
        raise refuse(reading, node, "E132", f"there is no table {name}", suggest(name, [*names.tables, FINESS_TABLE]))
    names.used_tables.add(name)
    key, to = declared.column(declared.keys[0]), declared.column("site")
    if to < 0:
        raise refuse(reading, node, "E121", f"the table {name} has no column site", "add a column named site")
    unknown = sorted({row[to] for row in declared.rows} - set(names.sites))
    if unknown:
        raise refuse(
            reading,
            node,
            "E116",
            f"the table {name} names {unknown[0]}, which is no site",
            suggest(unknown[0], names.sites),
            ("sites", unknown[0]),
        )
    return SiteFrom(paths=paths, table={row[key]: row[to] for row in declared.rows}, table_name=name)


def variants_of(source: Source) -> list[str]:
    """Return the variants (site and `untyped:`) that a source can bring; "" when it tells no site."""
    if source.site:
        return [variant_of(source.site, source.untyped)]
    if source.site_from is not None:
        return [variant_of(site, source.untyped) for site in sorted(set(source.site_from.table.values()))]
    return [""]


# --- destinations ----------------------------------------------------------------------------------------


def read_destinations(
    entries: Named, reading: Reading, keys: dict[str, Key], sources: Collection[str]
) -> dict[str, Destination]:
    """Read `destinations:`; `sources`: the names of all that are declared, refused ones too."""
    destinations: dict[str, Destination] = {}
    for name, _, node in read_names(entries, reading):
        record = _record_of(node, schema.DESTINATIONS, reading)
        values = None if record is None else reading.read(record, node)
        if values is None or not isinstance(node, Entries):
            continue
        order = read_order(values["order_by"], node, reading, keys)
        try:
            answers = tuple(_answer(rule, node, reading) for rule in values.get("answers") or [])
        except Unreadable:
            continue
        destinations[name] = Destination(
            name=name, type=values["type"], order=order or Order(), encode=_encode(values["encode"]),
            dead_letter=read_dead_letter(values["dead_letter"]) or DeadLetter(), retry=_retry(values["retry"] or {}),
            answers=answers, connect_timeout=values["connect_timeout"], **_leave(values, node, reading, sources),
            contact={str(word): str(text) for word, text in values["contact"] or []},
            renamed_from=str(values["renamed_from"]), **_DOORS[values["type"]](values),
        )  # fmt: skip
    return destinations


def _leave(values: dict[str, Any], node: Entries, reading: Reading, sources: Collection[str]) -> dict[str, Any]:
    """Read what may leave: `production`, `may_have`, `trust_source`."""
    may_have, trusted = frozenset(values["may_have"] or ()), values["trust_source"] or ()
    if "ins" in may_have and values["production"] is None:
        reading.error(
            node.key("may_have") or node, "E105", "who may have the INS says whether it is in production",
            "add production: yes, or no, where test identities may go",
        )  # fmt: skip
    if trusted and "ins" not in may_have:
        reading.error(
            node.key("trust_source") or node, "E118", "trust_source serves nothing without may_have: [ins]",
            "add may_have: [ins], or remove trust_source",
        )  # fmt: skip
    for word in trusted:
        if word not in sources:
            hint = suggest(word, sources)
            reading.error(word.node, "E116", f"there is no source {word}", hint, about=("sources", str(word)))
    return {
        "production": values["production"] == "yes", "may_have": may_have,
        "trust_source": frozenset(str(word) for word in trusted),
    }  # fmt: skip


def _mllp_destination(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": values["connect"].host, "port": values["connect"].port, "connections": values["connections"],
        "ack_timeout": values["ack_timeout"], "ack_match": values["ack_match"],
    }  # fmt: skip


def _directory_destination(values: dict[str, Any]) -> dict[str, Any]:
    given = values["file_name"]
    return {
        "path": str(values["path"]), "target": given, "file_name": given.source if given is not None else "{id}.hl7",
    }  # fmt: skip


def _mqtt_destination(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "url": str(values["connect"]), "target": values["topic"], "topic": values["topic"].source,
        "ack_timeout": values["ack_timeout"],
        "qos": values["qos"], "client_id": str(values["client_id"]), "username": str(values["username"]),
        "password": str(values["password"]),
    }  # fmt: skip


_DOORS: Final = {"mllp": _mllp_destination, "directory": _directory_destination, "mqtt": _mqtt_destination}


def read_order(value: Any, node: Entries, reading: Reading, keys: dict[str, Key]) -> Order | None:
    """Read `order_by:`; None when it isn't there or was reported."""
    if value is None:
        return None
    if isinstance(value, str):
        return Order(by=value)
    for word in value:
        if word not in keys:
            reading.error(getattr(word, "node", node), "E130", f"{word} is no key", suggest(word, keys))
            return None
    return Order(by="keys", keys=tuple(str(word) for word in value))


def read_dead_letter(values: dict[str, Any] | None) -> DeadLetter | None:
    """Read `dead_letter:`."""
    return None if values is None else DeadLetter(**values)


def _encode(values: Any) -> Encode:
    if values is None:
        return Encode()
    if values == "as_received":
        return Encode(as_received=True, control_id="as_received")
    codec, msh18 = schema.OUTGOING[values["charset"]]
    return Encode(charset=codec, msh18=msh18, control_id=values["control_id"], unencodable=values["unencodable"])


def _retry(values: dict[str, Any]) -> Retry:
    usual = Retry()
    made: dict[str, Any] = {name: values[name] for name in ("attempts", "refused_attempts") if values.get(name)}
    for name in ("connect", "unknown", "busy"):
        given, before = values.get(name), getattr(usual, name)
        if given:
            first = before.first if given["first"] is None else given["first"]
            longest = before.longest if given["longest"] is None else given["longest"]
            made[name] = Delays(first=first, longest=max(first, longest))
    return Retry(**made)


def _answer(rule: dict[str, Any], node: Entries, reading: Reading) -> AnswerRule:
    codes = frozenset(part.strip() for part in str(rule["code"]).split(",") if part.strip())
    text = rule["text"]
    if not codes and not text:
        raise refuse(
            reading, node.key("answers") or node, "E105", "an answer rule needs code or text", 'write code: "206,207"'
        )
    test: Callable[[str], bool] | None = None
    if text:
        pattern = text[1:-1] if re.fullmatch(r"/.+/", text) else re.escape(text)
        try:
            test = compile_expression(pattern)
        except ExpressionRefused as error:
            raise refuse(reading, text.node, "E123", error.reason, error.hint) from None
    return AnswerRule(codes=codes, text=test, judged=rule["as"])
