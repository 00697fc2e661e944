"""Pages about the routes."""

from __future__ import annotations

from engine.routes import file_secrets
from engine.routes.describing import is_made, pages
from engine.routes.loader import declared
from tests.unit.routes.conftest import SMALL

TEXT = (
    SMALL.replace("topic:", 'password: "${secret:bus}", contact: { name: Ada, phone: "15" }, topic:')
    + """
tables: { uf: uf.csv }
templates:
  stamp: { params: { word: { } }, steps: [ { set: { MSH-3: "${word}" } } ] }
steps:
  names:
    - label: names in capitals
      convert: { field: PID-5.1, case: upper }
routes:
  adt:
    from: [gam, lis]
    owner: Ada | Grace
    when: type == ADT
    on_no_match: filter
    steps:
      - use: names
        when: PID-5 exists
      - use: stamp
        with: { word: X }
      - map: { field: PV1-3.1, table: uf, take: dpi, on_missing: keep }
        label: units
      - foreach: OBX
        do:
          - default: { .11: F }
    to:
      - destination: dpi
        when: event == A01
        steps: [ { delete: PID-19 } ]
      - raw
    tests:
      - name: it arrives
        given: { source: gam, message: "MSH|^~\\\\&|A|B|C|D|20260301||ADT^A01|1|P|2.5" }
        expect: { dpi: delivered }
  rest: { from: lis, to: bus }
"""
)

PAGE = """\
# adt

Owner: Ada | Grace

Made by `passerelle docs` from routes.yaml.

[All interfaces](README.md)

## Takes

| source | how | establishment | contact |
| --- | --- | --- | --- |
| gam | MLLP, listens at 127.0.0.1:6101 | cha |  |
| lis | MLLP, listens at 127.0.0.1:6110 | as the message says (MSH-4.2, MSH-4.1, by finess_to_site) |  |

Of their messages, those for which this holds:

```
type == ADT
```

A message that doesn't meet the condition, and that no other route wants, is counted as filtered.

## Does

1. Names, when `PID-5 exists`:

1.1. Names in capitals

```yaml
convert: { field: PID-5.1, case: upper }
```

2. Stamp:

2.1. Write texts

```yaml
set: { MSH-3: ${word} }
```

3. Units

```yaml
map: { field: PV1-3.1, table: uf, take: dpi, on_missing: keep }
```

4. Run steps on each segment of a name

```yaml
foreach: OBX
do:
  - default: { .11: F }
```

## Sends

### dpi

MLLP, to 127.0.0.1:5500, in order by patient, what follows a dead letter of the same lane waits for an operator. \
Charset UNICODE UTF-8; MSH-10 is the delivery's id.

Only messages for which this holds:

```
event == A01
```

For this destination alone:

1. Remove repetitions, values, segments

```yaml
delete: PID-19
```

### raw

Files {site}-{event}-{id}.hl7 in out, in any order, a dead letter stays behind, what follows goes on. Bytes as they \
were received, but for what steps changed.

## Tests

- it arrives
"""


def test_pages(tmp_path):
    """One a route and an index; secrets by their names only."""
    (tmp_path / "uf.csv").write_text("code,dpi\n1,A\n", encoding="utf-8")
    (tmp_path / "routes.yaml").write_text(TEXT, encoding="utf-8")
    environment = {"PASSERELLE_SECRET_BUS": "hunter2"}
    made = pages(*declared(tmp_path / "routes.yaml", environment=environment, secrets=file_secrets(environment)))
    assert sorted(made) == ["README.md", "adt.md", "rest.md"]
    assert made["adt.md"].replace("'", "") == PAGE.replace("'", "")
    assert "Nothing: messages leave as they came" in made["rest.md"]
    assert "MQTT, topic ght/{site}/adt/{event}" in made["rest.md"]
    assert "| [adt](adt.md) | gam, lis | dpi, raw | Ada \\| Grace |" in made["README.md"]
    assert "Ada, 15" in made["README.md"]
    assert "```mermaid\nflowchart LR\n" in made["README.md"]
    assert "hunter2" not in "".join(made.values())


def test_pages_are_known_again(tmp_path):
    """Also those of a route that an older version made, without the mark; what speaks of the command is no page."""
    (tmp_path / "uf.csv").write_text("code,dpi\n1,A\n", encoding="utf-8")
    (tmp_path / "routes.yaml").write_text(TEXT, encoding="utf-8")
    environment = {"PASSERELLE_SECRET_BUS": "hunter2"}
    made = pages(*declared(tmp_path / "routes.yaml", environment=environment, secrets=file_secrets(environment)))
    assert all(is_made(text) for text in made.values())
    older = "\n".join(line for line in made["adt.md"].splitlines() if not line.startswith("Made by"))
    assert is_made(older)
    for text in ("", "# Interfaces\n\nPages here: Made by `passerelle docs` from routes.yaml.\n", "## Takes\n"):
        assert not is_made(text)


def test_an_entry_for_each_site(tmp_path):
    """Each of its destinations has a part of its own, which says for whom."""
    more = "".join(
        f'  to_{site}: {{ type: mllp, connect: "127.0.0.1:550{rank}" }}\n'
        for rank, site in enumerate(("cha", "chb"), 1)
    )
    routes = 'routes:\n  r: { from: [lis], to: ["to_{site}", { destination: raw, steps: [ tag: x ] }] }\n'
    text = SMALL.replace("destinations:\n", f"destinations:\n{more}") + routes
    (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
    page = pages(*declared(tmp_path / "routes.yaml", environment={}, secrets=file_secrets({})))["r.md"]
    assert "### to_chb" in page
    assert "Only messages of the establishment chb." in page
    assert page.count("For this destination alone:") == 1
