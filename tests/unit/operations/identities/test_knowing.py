"""What operators type, and the rows that a decision needs."""

from __future__ import annotations

import pytest

from engine.errors import OperationRefused
from engine.identity.crossreference import Known
from engine.operations.identities.knowing import decided, hashes_of, read_into, read_number, require_identity
from tests.support.officers import Office, at_office


@pytest.mark.parametrize("text", ["", "0", "x", "-1", "1.5", "٣", str(1 << 62)])
def test_what_is_no_id(text):
    """Usage, and where an id is found."""
    with pytest.raises(OperationRefused, match="is no id of a patient; `passerelle identity find`") as refused:
        read_number(text, "patient")
    assert refused.value.exit_code == 2
    assert read_number("17", "event") == 17


def test_an_identifier_has_a_hash_for_each_authority_that_may_have_given_it(tmp_path):
    """Two hospitals give the same number to two people."""

    async def work(office: Office) -> None:
        configuration, _ = require_identity(office.desk)
        references = office.desk.references
        counts = {kind: len(hashes_of(configuration, references, kind, "1")) for kind in ("ipp", "nda", "number")}
        assert counts == {"ipp": 2, "nda": 1, "number": 1}
        assert references.hash("stay", "1.2.250.1.999.12.1|AN", "1") in hashes_of(configuration, references, "nda", "1")

    at_office(tmp_path, work)


def test_rows_are_read_as_a_decision_asks_for_them(tmp_path):
    """One after the other, or all at once when they are known before; never for ever."""

    async def work(office: Office) -> None:
        assert (await decided(office.desk, lambda view: view.patient(1))).id == 1
        view = Known()
        await read_into(office.desk, view, (), range(1, 2_500))
        assert view.patient(3) is not None
        assert view.patient(2_400) is None
        assert len(await decided(office.desk, lambda view: [view.patient(id_) for id_ in range(1, 20)])) == 19
        with pytest.raises(OperationRefused, match="asks for too much"):
            await decided(office.desk, lambda view: [view.patient(id_) for id_ in range(1, 2_000)])

    at_office(tmp_path, work)
