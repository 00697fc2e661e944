"""The language of the transcripts: what is understood, and how a line is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.comparing import annotated, of_all, of_end, of_step
from tests.scenarios.crossreference import ROW_COLUMNS, rows_of
from tests.scenarios.language import NotUnderstood, Receipt, Scenario, read
from tests.scenarios.messages import hl7, hprim
from tests.scenarios.parts import FINESS, Person, UnknownField, parts_of, traits_of
from tests.scenarios.reading import Incoming, Reading

GOOD = """# a remark

scenario: A name
  plan: 1 "a sentence"
  given on_merge: emit
  cha sends A28 "x": IPP 1001, Marie, qualified
    dpi, pacs receive A28 "x": G1, cha 1001
    # a remark
  officer links G1 and G2
    is refused: E-ID
  officer asks who received cha 1001
    dpi received A28 "x"

  in the end
    G1 is cha 1001
"""
MARIE = Person("DUPONT", "Marie", "1960-05-12", "F", "13055", "Marie Jeanne", ins="260051305500182")
PEOPLE = {"Marie": MARIE}


def scenarios(directory: Path, text: str) -> list[Scenario]:
    path = directory / "theme.txt"
    path.write_text(text, encoding="utf-8")
    return read(path)


def the_one(directory: Path, text: str = GOOD) -> Scenario:
    (one,) = scenarios(directory, text)
    return one


def test_a_transcript_is_read(tmp_path: Path) -> None:
    one = the_one(tmp_path)
    assert (one.name, one.file, one.line, one.plan) == ("A name", "theme", 3, ['1 "a sentence"'])
    assert one.given == {"on_merge": "emit"}
    send, link, asked = one.steps
    assert send.words == {"source": "cha", "event": "A28", "label": "x", "fields": "IPP 1001, Marie, qualified"}
    assert [str(receipt) for receipt in send.receipts] == [
        'dpi receives A28 "x": G1, cha 1001', 'pacs receives A28 "x": G1, cha 1001',
    ]  # fmt: skip
    assert (link.verb, link.refused) == ("link", "E-ID")
    assert asked.carried == ['dpi received A28 "x"']
    assert [line.text for line in one.end] == ["G1 is cha 1001"]


def test_several_stand_in_one_file(tmp_path: Path) -> None:
    found = scenarios(tmp_path, GOOD + GOOD.replace("A name", "Another"))
    assert [one.name for one in found] == ["A name", "Another"]


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        ("cha sends A28", "chd sends A28", "who sends is one of cha, chb"),
        ("cha sends A28", "lis sends R01", "say `for cha`"),
        ("  cha sends", "   cha sends", "two spaces before what happens"),
        ("dpi, pacs receive", "dpi, pax receive", "a destination is one of dpi, pacs"),
        ("G1, cha 1001\n    # a", "G1, chd 1001\n    # a", "'chd 1001' is no identifier"),
        ("G1, cha 1001\n    # a", "was cha 7; G1\n    # a", "in this order: PID-3"),
        ("on_merge: emit", "on_merge: guess", "on_merge: review | emit"),
        ("  officer links G1 and G2", "  operator applies on_merge: guess\n  officer links G1 and G2", "review | emit"),
        ("officer links G1 and G2", "officer dislikes G1", "README.md lists them"),
        ("    G1 is cha 1001", "    G1 will be cha 1001", "README.md lists them"),
        ('  plan: 1 "a sentence"\n', "", "says which sentence it shows"),
        ("  in the end\n    G1 is cha 1001\n", "", "ends with `  in the end`"),
        ("    G1 is cha 1001\n", "    G1 is cha 1001\n  dpi is down\n", "nothing stands after `in the end`"),
        ('dpi received A28 "x"', "nobody", "the answer is written"),
        ("# a remark\n\nscenario", "stray\n\nscenario", "a file begins with remarks"),
    ],
)  # fmt: skip
def test_a_line_that_means_nothing_is_refused_with_its_place(
    tmp_path: Path, good: str, bad: str, sentence: str
) -> None:
    assert good in GOOD
    with pytest.raises(NotUnderstood) as caught:
        scenarios(tmp_path, GOOD.replace(good, bad, 1))
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("theme.txt:")


def test_a_hospital_writes_in_its_manner() -> None:
    one = parts_of("IPP 77, IPP 5 of cha, was IPP 78, NDA 9, mother IPP 80", "chb", PEOPLE)
    assert one.pid3 == ["77^^^&000000026&N^PI", "5^^^CPAGE&1.2.250.1.999.10.1&ISO^PI"]
    assert one.mrg == {1: ["78^^^&000000026&N^PI"]}
    assert one.pid == {18: "9^^^&000000026&N^AN", 21: "80^^^&000000026&N^PI"}
    assert parts_of("IPP 5", "chc", PEOPLE).pid3 == ["5^^^CPAGE^PI"]


def test_the_ins_goes_with_a_qualified_identity_unless_told() -> None:
    assert parts_of("Marie, validated", "cha", PEOPLE).ins == []
    assert parts_of("Marie, qualified, no INS", "cha", PEOPLE).ins == []
    (ins,) = parts_of("Marie, qualified", "cha", PEOPLE).ins
    assert ins == "260051305500182^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
    assert parts_of("Marie, qualified, INS 1", "cha", PEOPLE).ins[0].startswith("1^^^")


def test_traits_are_those_of_the_person_and_of_the_line() -> None:
    said = traits_of(parts_of("Marie, born 1960-05-21, no birth place, first name Rose", "cha", PEOPLE))
    assert said == {"birth name": "DUPONT", "first name": "Rose", "born": "1960-05-21", "sex": "F"}


def test_a_part_that_means_nothing_is_refused() -> None:
    with pytest.raises(UnknownField, match="'IP 1001' is no part"):
        parts_of("IP 1001", "cha", PEOPLE)
    with pytest.raises(UnknownField, match="'Mary' is nobody"):
        parts_of("Mary", "cha", PEOPLE)


def test_what_left_is_told_as_a_line() -> None:
    reading = Reading(PEOPLE)
    raw = hl7("A40", "S0001", parts_of("IPP 1, was IPP 2, Marie, qualified", "cha", PEOPLE), facility=FINESS["cha"])
    reading.sent(Incoming("S0001", "A40", "x", "cha", raw))
    assert str(reading.receipt("dpi", raw)) == 'dpi receives A40 "x": cha 1, INS of Marie; was cha 2'
    altered = raw.replace(b"DUPONT", b"DUPOND")
    assert str(reading.receipt("dpi", altered)).endswith("; ALTERED PID-5")
    incomplete = raw.replace(b"1^^^CPAGE&1.2.250.1.999.10.1&ISO^PI", b"1^^^CPAGE^PI", 1)
    assert 'A40 "x": raw 1^^^CPAGE^PI, ' in str(reading.receipt("dpi", incomplete))


def test_an_hprim_fusion_is_written_as_laboratories_do() -> None:
    raw = hprim("S0001", parts_of("IPP 1, was IPP 2, NDA 5, Marie", "cha", PEOPLE))
    assert b"\r\nP|1|1~2~FU||5|DUPONT~Marie|DUPONT|19600512|F\r\n" in raw


def test_an_hprim_ins_stands_in_p_11_with_its_status() -> None:
    raw = hprim("S0001", parts_of("IPP 1, Marie, qualified", "cha", PEOPLE))
    patient = next(line for line in raw.split(b"\r\n") if line.startswith(b"P|")).split(b"|")
    assert (patient[6], patient[11]) == (
        b"DUPONT~Marie~Marie Jeanne", b"260051305500182~INS-NIR~~~~1.2.250.1.213.1.4.8",
    )  # fmt: skip
    assert (patient[34], patient[38], b"|H2.5~C|" in raw) == (b"~13055", b"VALI", True)


def test_other_routes_are_applied_by_a_line_that_given_knows(tmp_path: Path) -> None:
    text = GOOD.replace("  officer links", "  operator applies contracts: none\n  officer links")
    applied = the_one(tmp_path, text).steps[1]
    assert (applied.verb, applied.words) == ("apply", {"name": "contracts", "value": "none"})


def test_an_import_is_rows_of_a_file(tmp_path: Path) -> None:
    text = GOOD.replace("links G1 and G2", "imports number 7: cha 1001, formerly cha 1000; Marie, qualified")
    step = the_one(tmp_path, text).steps[1]
    assert step.verb == "import"
    used, former = (dict(zip(ROW_COLUMNS, row, strict=True)) for row in rows_of("G7", step.words, MARIE))
    assert (used["number"], used["authority"], used["value"], used["kind"]) == ("G7", "cha/ipp", "1001", "")
    assert (used["status"], used["birth_date"], used["ins"]) == ("QUAL", "19600512", MARIE.ins)
    assert (former["value"], former["kind"], former["birth_name"]) == ("1000", "alias", "")


def test_what_differs_stands_under_its_line(tmp_path: Path) -> None:
    one = the_one(tmp_path)
    send = one.steps[0]
    receipts = [Receipt("dpi", 'A28 "x"', "G1, cha 1001"), Receipt("pacs", 'A28 "x"', "cha 1001")]
    told = of_step(send, receipts, "", [])
    assert told == {7: ['but pacs receives A28 "x": cha 1001']}
    shown = annotated(one, told)
    assert '>     dpi, pacs receive A28 "x": G1, cha 1001\n>             but pacs receives' in shown
    assert of_step(send, [receipts[0]], "", []) == {7: ["but pacs receives nothing"]}


def test_the_order_of_one_destination_counts(tmp_path: Path) -> None:
    text = GOOD.replace("    # a remark\n", "    pacs receives A31: G1\n")
    send = the_one(tmp_path, text).steps[0]
    first, second, third = (Receipt(one.destination, one.message, one.identifiers) for one in send.receipts)
    assert of_step(send, [second, third, first], "", []) == {}
    assert of_step(send, [first, third, second], "", [])


def test_the_end_must_hold_and_be_complete(tmp_path: Path) -> None:
    one = the_one(tmp_path, GOOD.replace("G1 is cha 1001\n", "G1 is cha 1001, chb 7\n    dead: A28 E-ID-CYCLE\n"))
    assert of_end(one, ["G1 is chb 7, cha 1001", "dead: A28 E-ID-CYCLE", "cha says that G1 is validated"]) == {}
    told = of_end(one, ["G1 is cha 1001", "dead: A28 E-ID-CYCLE"])
    assert told == {15: ["but this is not so"], 16: ["but also: G1 is cha 1001"]}


def test_in_any_order_everything_must_leave_once(tmp_path: Path) -> None:
    one = the_one(tmp_path)
    dpi, pacs = (Receipt(it.destination, it.message, it.identifiers) for it in one.steps[0].receipts)
    assert of_all(one, [pacs, dpi]) == {}
    assert of_all(one, [dpi, dpi]) == {
        11: ['but never: pacs receives A28 "x": G1, cha 1001', 'but also: dpi receives A28 "x": G1, cha 1001']
    }


def test_what_may_be_made_anew_leaves_in_one_way_or_the_other(tmp_path: Path) -> None:
    """Line by line as it was made; without a pause either, and once."""
    one = the_one(tmp_path, GOOD.replace("G1, cha 1001\n    # a", "G1, cha 1001 or, made anew: G1\n    # a"))
    send = one.steps[0]
    first, second = (Receipt(it.destination, it.message, it.identifiers) for it in send.receipts)
    anew = Receipt(second.destination, second.message, "G1")
    assert of_step(send, [first, second], "", []) == {}
    assert of_step(send, [first, anew], "", [])
    assert of_all(one, [first, second]) == of_all(one, [first, anew]) == {}
    assert of_all(one, [first, anew, second])


def test_acts_that_are_refused_or_accepted_unexpectedly_are_told(tmp_path: Path) -> None:
    send, link, asked = the_one(tmp_path).steps
    assert of_step(link, [], "E-ID-X no", []) == {}
    assert list(of_step(link, [], "", []).values()) == [["but it is accepted"]]
    assert list(of_step(send, list(send.receipts), "no", []).values()) == [["but it is refused: no"]]
    assert of_step(asked, [], "", ['dpi received A28 "x"']) == {}
    assert list(of_step(asked, [], "", []).values()) == [["but the answer is: nobody"]]
