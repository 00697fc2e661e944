"""
HPRIM Santé 2.x: the same segments and fields as HL7, under its own header segment H.

    header    the header segment: delimiters from H-1, H-2 as control id, H-6 as type
    message   a Message whose fields are read by position (H-6, P-2.1)

Addenda (`A|`) are segments of their own here: they are not rejoined to the line that they continue.
"""

from engine.parsers.hprim.header import read_hprim_header as read_header

__all__ = ["read_header"]
