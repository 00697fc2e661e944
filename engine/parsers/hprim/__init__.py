"""
HPRIM: what French laboratories, radiologies and admission systems exchange beside HL7.

    HPRIM Santé 2.1 to 2.5: the same segments and fields as HL7, under its own header segment H.

    header     the header segment: delimiters from H-1, H-2 as control id, H-6 as type
    addenda    lines that begin with `A|`: rejoined when read, cut at 220 characters when written
    acknowledgement    a message of the context ERR, for what was taken or refused
    message    HprimMessage: a Message whose fields are read by position (H-6, P-2.1)

    HPRIM Médecin 1 to 3: letters without delimiters; the line's position is the schema.

    layout     where headers, text and coded block lie
    letter     LetterMessage: a Message of the segments ENT, TXT, RES and TEX

    spanning   what both add to a Message: segments that were received in several lines
"""

from engine.parsers.hprim.header import read_hprim_header as read_header

__all__ = ["read_header"]
