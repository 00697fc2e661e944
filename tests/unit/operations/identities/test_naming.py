"""Whom a stored message names, as search keys have it."""

from __future__ import annotations

from pathlib import Path

from engine.core.messages import StoredMessage
from engine.operations.identities.naming import all_numbers_of, numbers_of
from tests.support.custody import NOW_MS
from tests.support.officers import Office, at_office

CHA, CHB, GHT = "1.2.250.1.999.10.1|PI", "1.2.250.1.999.20.1|PI", "1.2.250.1.999.1.1|PN"
RAW = b"MSH|^~\\&|GAM|CHB|X|Y|20260301||ADT^A31|1|P|2.5\rPID|||900304^^^&1.2.250.1.999.20.1&ISO^PI\r"


def test_the_numbers_of_a_message_and_of_its_patients(tmp_path: Path) -> None:
    """As it names him, and as he is known elsewhere; nobody where the source is gone."""

    async def work(office: Office) -> None:
        hash_ = office.desk.references.hash
        message = StoredMessage("gam_chb", "main", RAW, NOW_MS, type="ADT^A31", site="chb")
        named = hash_("patient", CHB, "900304")
        assert await numbers_of(office.desk, message) == [named]
        others = [hash_("patient", CHA, "900303"), hash_("patient", GHT, "G00000000394")]
        assert set(await all_numbers_of(office.desk, message)) == {named, *others}
        message.source = "gone"
        assert await numbers_of(office.desk, message) == []
        assert await all_numbers_of(office.desk, message) == []

    at_office(tmp_path, work)
