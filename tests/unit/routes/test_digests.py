"""A configuration is a value: equal when it says the same."""

from __future__ import annotations

from engine.routes import load
from tests.unit.routes.conftest import SMALL

STEPS = """
steps:
  names:
    - set: { MSH-3: A, MSH-4: B }
routes:
  r:
    from: [gam, lis]
    when: type == ADT
    steps:
      - use: names
    to: [dpi, raw, bus]
"""


def read(folder, text, **environment):
    folder.mkdir(exist_ok=True)
    (folder / "routes.yaml").write_text(text, encoding="utf-8")
    return load(folder / "routes.yaml", environment=environment)


def test_layout_files_and_the_order_of_keys_dont_count(tmp_path):
    """The same said otherwise is the same; its bytes have another name."""
    first = read(tmp_path / "a", SMALL + STEPS)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "more.yaml").write_text("# a comment\n" + STEPS, encoding="utf-8")
    text = SMALL.replace("{ type: mllp, site: cha, listen:", "{ site: cha,   type: mllp, listen:")
    second = read(tmp_path / "b", "include: more.yaml\n" + text)
    assert first == second
    assert hash(first) == hash(second)
    assert first.hash != second.hash
    assert first.sources["gam"] == second.sources["gam"]
    assert first != "a configuration"


def test_a_run_counts_for_the_routes_that_use_it(tmp_path):
    """What a route does changed, although its own lines didn't; its destinations are the same."""
    first = read(tmp_path, SMALL + STEPS)
    second = read(tmp_path, SMALL + STEPS.replace("MSH-4: B", "MSH-4: C"))
    assert first != second
    assert first.routes[0] != second.routes[0]
    assert first.destinations == second.destinations
    third = read(tmp_path, SMALL + STEPS.replace("MSH-3: A, MSH-4: B", "MSH-4: B, MSH-3: A"))
    assert first.routes[0].digest != third.routes[0].digest, "steps write in the order of the file"


def test_templates_and_defaults_count_as_what_they_make(tmp_path):
    """A destination written out equals one that a template makes."""
    plain = read(tmp_path, SMALL + STEPS)
    text = SMALL.replace(
        'dpi: { type: mllp, connect: "127.0.0.1:5500", dead_letter: { lane: park } }',
        "dpi: { use: t, with: { port: 5500 } }",
    )
    template = (
        "defaults: { destinations: { dead_letter: { lane: park } } }\n"
        "templates:\n  t:\n    params: { port: { type: port } }\n"
        '    destination: { type: mllp, connect: "127.0.0.1:${port}" }\n'
    )
    made = read(tmp_path, text + template + STEPS)
    assert made.destinations["dpi"] == plain.destinations["dpi"]


def test_the_environment_counts_and_secrets_are_compared_only(tmp_path):
    """A secret changes what is equal, never what is shown."""
    text = (
        SMALL.replace("127.0.0.1:5500", "${env:DPI}:5500").replace("topic:", 'password: "${secret:bus}", topic:')
        + STEPS
    )
    first = read(tmp_path, text, DPI="one", PASSERELLE_SECRET_BUS="x")
    moved = read(tmp_path, text, DPI="two", PASSERELLE_SECRET_BUS="x")
    other = read(tmp_path, text, DPI="one", PASSERELLE_SECRET_BUS="y")
    assert first.hash != moved.hash
    assert first.destinations["dpi"].digest != moved.destinations["dpi"].digest
    assert first.hash == other.hash
    assert first.destinations["bus"].digest == other.destinations["bus"].digest
    assert first.destinations["bus"] != other.destinations["bus"]
    assert first != other


def test_a_table_counts_by_its_bytes(tmp_path):
    """The routes are the same, the configuration isn't."""
    (tmp_path / "t.csv").write_text("code,dpi\n1,A\n", encoding="utf-8")
    text = SMALL + STEPS.replace(
        "steps:\n      - use: names",
        "steps:\n      - use: names\n      - map: { field: PV1-3.1, table: t, take: dpi, on_missing: keep }",
    ) + "tables: { t: t.csv }\n"  # fmt: skip
    first = read(tmp_path, text)
    (tmp_path / "t.csv").write_text("code,dpi\n1,B\n", encoding="utf-8")
    second = read(tmp_path, text)
    assert first.routes == second.routes
    assert first != second
