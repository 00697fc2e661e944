"""Who the patients of one message are: what is decided again as it was, and what isn't."""

from __future__ import annotations

import pathlib

from tests.support.group import INS, Group, group, hl7, of_cha, of_chb

NIR = f"260051305500182{INS}"


def test_what_tells_the_status_is_read_anew(tmp_path: pathlib.Path) -> None:
    """The same PID twice, then with a segment that hides the identity, or says how it was acquired."""

    async def test(it: Group) -> None:
        plain = ("A31", of_cha(1))
        await it.send("gam_cha", *(hl7(number, *plain) for number in (1, 2)))
        assert it.identities.usual

        def attributes() -> tuple[str, ...]:
            return it.store.disk.patients[1].assertions[0].attributes

        assert attributes() == ()
        await it.send("gam_cha", hl7(3, *plain, "PD1" + "|" * 12 + "Y"))
        assert attributes() == ("hidden",)
        await it.send("gam_cha", hl7(4, *plain))
        await it.send("gam_cha", hl7(5, *plain, "PV1||I", "PV2" + "|" * 22 + "Y"))
        assert attributes() == ("hidden",)

    group(tmp_path, test)


def test_what_another_patient_says_is_looked_at_anew(tmp_path: pathlib.Path) -> None:
    """An INS of two, whose traits differ by a name that is then corrected: the same message as before links them."""

    async def test(it: Group) -> None:
        await it.send("gam_cha", hl7(1, "A31", f"{of_cha(1)}~{NIR}", name="MARTIN^LEO^LEO"))
        same = [hl7(number, "A31", f"{of_chb(2)}~{NIR}") for number in (2, 3, 4)]
        await it.send("gam_chb", *same[:2])
        assert len(it.store.disk.patients) == 2
        await it.send("gam_cha", hl7(5, "A31", f"{of_cha(1)}~{NIR}"))
        await it.send("gam_chb", same[2])
        assert len(it.store.disk.patients) == 1

    group(tmp_path, test)
