"""HPRIM as trees."""

from __future__ import annotations

from pathlib import Path

from engine.operations.trees import Node, tree_of

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "conversion"


def places(node: Node) -> dict[str, Node]:
    found = {node.name: node}
    for child in node.children:
        found |= places(child)
    return found


def test_santé() -> None:
    """Names of the norm, codes and dates in words, addenda rejoined."""
    tree = tree_of((FIXTURES / "results.hpr").read_bytes())
    assert (tree.name, tree.words) == ("ORU", "résultats · HPRIM Santé 2.5")
    found = places(tree)
    assert found["H-1"].value == "~^\\&"
    assert (found["H-6"].words, found["H-6"].meaning) == ("contexte", "résultats")
    assert (found["P[1]-25.3"].words, found["P[1]-25.3"].value) == ("unité", "URG")
    assert found["P[1]-7"].meaning == "1980-02-29"
    assert found["P[1]-12[2]"].value == "0601020304"
    assert found["OBX[1]-11"].meaning == "validé"
    assert found["C[3]-3"].value == "seuil du réactif"
    assert not any(node.marks for node in found.values())


def test_what_is_odd_is_marked_where_it_stands() -> None:
    """Counts, and lines that belong to nothing."""
    raw = b"H|~^\\&|F.HPR||L||ORU||||P|H2.3\r\nP|1|77\r\nsome text of somebody\r\nL|1||2|9\r\n"
    found = places(tree_of(raw))
    assert found["?"].value == "some text of somebody"
    assert [found[name].marks[0].severity for name in ("?", "L-3", "L-4")] == ["warning"] * 3


def test_letters() -> None:
    """Header lines by number, texts, results; what a transport added is marked."""
    tree = tree_of((FIXTURES / "letters.hpm").read_bytes())
    found = places(tree)
    assert (tree.name, tree.words) == ("letters", "HPRIM Médecin")
    assert (found["ENT[1]-7"].words, found["ENT[1]-7"].value) == ("date de naissance", "18/12/2009")
    assert found["RES[1]-8"].meaning == "haut"
    assert found["TXT[2]"].value == "   ALLERGIE"
    assert found["?"].marks
    short = places(tree_of(b"1\r\nMARTIN\r\n****LAB****\r\n"))
    assert [mark.sentence[:10] for mark in short["ENT"].marks] == ["the header", "the letter"]
