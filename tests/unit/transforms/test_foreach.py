"""`foreach` runs steps on each segment of a name."""

from __future__ import annotations


def test_relative_paths_and_rank(run):
    """`.5` is the field of the segment at hand; `{rank}` counts; `when` sees the segment too."""
    done = run('  - foreach: OBX\n    do:\n      - set: { ".4": "{rank}:{.3.1}" }\n        when: .5 == 20')
    assert done.lines[3] == "OBX|1|CE|A^1||10"
    assert done.lines[4] == "OBX|2|CE|B^2|2:B|20"
    assert (done.context.at, done.context.rank) == (None, 0)


def test_no_such_segment(run):
    """No segment of that name: nothing to do."""
    run('  - foreach: ZZZ\n    do:\n      - set: { ".4": x }')


def test_refused(compiled):
    """`do` is wanted, the name must be one, relative paths stand inside only."""
    assert compiled("  - foreach: OBX").codes == ["E105"]
    assert compiled("  - foreach: OBX-5\n    do: []").codes == ["E112"]
    assert compiled('  - set: { ".4": x }').codes == ["E136"]
    assert compiled("  - foreach: OBX\n    do:\n      - set: { OBX-4: x }").codes == ["W206"]
