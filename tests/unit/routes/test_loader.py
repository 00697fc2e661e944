"""From files to a configuration."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from engine.errors import ConfigurationRefused as Refused
from engine.routes import ConfigurationRefused, check, file_secrets, load
from tests.support.steps import grows_with
from tests.unit.routes.conftest import SMALL

ROUTES = "routes:\n  r:\n    from: [gam, lis]\n    to: [dpi, raw, bus]\n"


def write(folder: pathlib.Path, text: str, name: str = "routes.yaml") -> pathlib.Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_delivered_has_no_finding(delivered):
    """The delivered routes.yaml is clean, and says what the demo needs."""
    assert sorted(delivered.sites) == ["cha", "chb", "chc"]
    assert [delivered.sources[name].port for name in ("gam_cha", "gam_chb", "gam_chc", "lis_ght", "ris_ght")] == [
        6101, 6102, 6103, 6110, 6111,
    ]  # fmt: skip
    dpi = delivered.destinations["dpi"]
    assert (dpi.host, dpi.port, dpi.connections, dpi.order.by, dpi.dead_letter.lane) == (
        "127.0.0.1", 5500, 4, "patient", "park",
    )  # fmt: skip
    assert dpi.answers[0].codes == {"206", "207"}
    assert dpi.answers[0].text is not None
    assert dpi.answers[0].text("dossier utilisé par X")


def test_delivered_gives_no_warning():
    """Nothing in the delivered file is unused or doubtful."""
    root = pathlib.Path(__file__).parents[3]
    assert check(root / "routes.yaml", environment={})[1] == []


def test_hash_names_content(tmp_path):
    """The same bytes give the same hash, a changed table another one."""
    write(tmp_path, "code,dpi\n1,A\n", "t.csv")
    steps = "    steps:\n      - map: { field: PV1-3.1, table: t, take: dpi, on_missing: keep }\n"
    path = write(tmp_path, SMALL + "tables: { t: t.csv }\n" + ROUTES + steps)
    first = load(path, environment={})
    assert load(path, environment={}).hash == first.hash
    write(tmp_path, "code,dpi\n1,B\n", "t.csv")
    assert load(path, environment={}).hash != first.hash


def test_include(tmp_path):
    """Sections may be split over files; a name that stands in two is refused."""
    write(tmp_path, ROUTES, "r1.yaml")
    configuration = load(write(tmp_path, "include: [r*.yaml]\n".replace("r*", "r1") + SMALL), environment={})
    assert configuration.files == ("routes.yaml", "r1.yaml")
    assert [route.name for route in configuration.routes] == ["r"]
    write(tmp_path, ROUTES, "r2.yaml")
    _, findings = check(write(tmp_path, "include: [r1.yaml, r2.yaml]\n" + SMALL), environment={})
    assert [(one.code, one.mark.file) for one in findings] == [("E102", "r2.yaml")]
    for wrong, code in (
        ("../x.yaml", "E148"), ("/etc/passwd", "E148"), ("nothing*.yaml", "E124"), ("routes.yaml", "E148"),
    ):  # fmt: skip
        _, findings = check(write(tmp_path, f"include: {wrong}\n" + SMALL + ROUTES), environment={})
        assert [one.code for one in findings if one.level == "error"] == [code], wrong


def test_environment_and_secrets(tmp_path):
    """References are resolved inside values, from the environment, variables of secrets and files."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "bus").write_text("from the file\n", encoding="utf-8")
    text = SMALL.replace("127.0.0.1:5500", "${env:HOST}:5500").replace(
        "topic:", 'password: "${secret:bus}", username: "${secret:user-name}", topic:'
    )
    path = write(tmp_path, text + ROUTES)
    environment = {"HOST": "dpi.local", "PASSERELLE_SECRET_USER_NAME": "u", "PASSERELLE_DATA": str(tmp_path)}
    configuration = load(path, environment=environment)
    bus = configuration.destinations["bus"]
    assert (configuration.destinations["dpi"].host, bus.password, bus.username) == ("dpi.local", "from the file", "u")
    assert "from the file" not in repr(bus)
    assert "from the file" not in configuration.text
    assert file_secrets({}, tmp_path)("../../etc/passwd") is None


def test_a_secret_is_never_shown(tmp_path):
    """A finding about a value cites the file, not what the reference stands for."""
    path = write(tmp_path, SMALL.replace("127.0.0.1:5500", "${secret:x}") + ROUTES)
    with pytest.raises(ConfigurationRefused) as caught:
        load(path, environment={"PASSERELLE_SECRET_X": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert [one.code for one in caught.value.findings] == ["E138"]
    assert isinstance(caught.value, Refused)
    assert caught.value.exit_code == 78


def test_a_password_in_an_address_is_never_cited(tmp_path):
    """What a finding cites may stand in a log: the caret stays where it was."""
    bus = "  bus: { type: mqtt, connect: 'mqtt://user:hunter2@broker', topic: t }\n"
    path = write(tmp_path, SMALL.replace("destinations:\n", f"destinations:\n{bus}", 1) + ROUTES)
    with pytest.raises(ConfigurationRefused) as caught:
        load(path, environment={})
    assert "E138" in str(caught.value)
    assert "mqtt://************@broker" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_site_that_stands_for_nothing_is_a_finding(tmp_path):
    """Not a traceback: the site of a source is read before the source, for the values within its reach."""
    path = write(tmp_path, SMALL.replace("site: cha", "site: '${env:NOWHERE}'", 1) + ROUTES)
    with pytest.raises(ConfigurationRefused) as caught:
        load(path, environment={})
    assert "E142" in [one.code for one in caught.value.findings]


def test_missing_file(tmp_path):
    """A file that isn't there is one clear finding."""
    configuration, findings = check(tmp_path / "routes.yaml", environment={})
    assert configuration is None
    assert [one.code for one in findings] == ["E124"]


def test_bytes_that_are_no_text(tmp_path):
    """Latin-1 in routes.yaml is told with its line."""
    (tmp_path / "routes.yaml").write_bytes("version: 1\n# é\n".encode("latin-1"))
    _, findings = check(tmp_path / "routes.yaml", environment={})
    assert [(one.code, one.mark.line) for one in findings] == [("E108", 2)]


def large(routes: int) -> str:
    """A configuration of a large group: twelve sites, each route for three of them, with conditions and steps."""
    sites = range(1, 13)
    text = "version: 1\nsites:\n" + "".join(
        f'  s{n}: {{ finess_ej: "2A{n:07d}", authorities: {{ ipp: {{ oid: 1.2.250.1.999.{n}.1, type: PI }} }} }}\n'
        for n in sites
    )
    text += "tables: { uf: uf.csv }\nkeys: { ipp: { path: 'PID-3[@ipp].1' } }\nsources:\n" + "".join(
        f"  gam_{n}: {{ type: mllp, site: s{n}, listen: 127.0.0.1:{6100 + n}, untyped: ipp }}\n" for n in sites
    )
    text += "destinations:\n" + "".join(
        f"  d{n}: {{ type: mllp, connect: 127.0.0.1:{7000 + n} }}\n" for n in range(min(40, routes + 1))
    )
    text += (
        "steps:\n  identities:\n    - normalise_authorities: { on_unknown: keep }\n"
        '    - set: { MSH-3: PASSERELLE, MSH-4.1: "${site.finess_ej}" }\nroutes:\n'
    )
    return text + "".join(
        f"""  r{n}:
    from: [gam_{n % 12 + 1}, gam_{(n + 1) % 12 + 1}, gam_{(n + 2) % 12 + 1}]
    when: type == ADT and event in list pam.stay and PV1-2 in [I, E, O] and not PID-32[*] in [ANOM, CACH]
    steps:
      - use: identities
      - when: PV1-3 exists
        map:
          {{ field: PV1-3.1, table: uf, match: {{ site: "{{site}}", code: "{{value}}" }}, take: dpi, on_missing: keep }}
      - set: {{ MSH-5: "D{n} {{event}}", "PID-3[@ipp].4.1": X }}
      - foreach: OBX
        do:
          - default: {{ .11: F }}
    to:
      - d{n % 40}
      - destination: d{(n + 1) % 40}
        when: event in [A01, A02]
        steps:
          - delete: [PID-19, ZFP]
"""
        for n in range(routes)
    )


def test_two_hundred_routes_are_read_at_once(tmp_path):
    """They cost some ten times what twenty do, all checks included; a table of 2,000 rows is looked over once."""
    rows = "".join(f"s{n % 12 + 1},{n},D{n}\n" for n in range(2000))
    write(tmp_path, "#key: site,code\nsite,code,dpi\n" + rows, "uf.csv")

    def reading(count: int) -> Callable[[], object]:
        path = write(tmp_path, large(count), f"routes-{count}.yaml")
        configuration, findings = check(path, environment={}, tests=[])
        assert configuration is not None
        assert findings == []
        assert len(configuration.routes) == count
        return lambda: check(path, environment={}, tests=[])

    grows_with(reading, 20)
