"""
Messages as trees for people: names, values, words of tables, marks on faulty places.

    tree       the neutral tree: what every format becomes, what the command line prints
    hl7v2      an HL7 v2 message, named by the dictionary
    groups     segments inside the groups of their structure
    hprim      HPRIM Santé and HPRIM Médecin, in the norm's words
    lines      what has no fields: one node a line
    opening    the door: bytes of any format to a tree

Values are shown as they are: a tree is made of a file that its owner names, never of a stored message.
"""

from engine.operations.trees.opening import tree_of
from engine.operations.trees.tree import Mark, Node

__all__ = ["Mark", "Node", "tree_of"]
