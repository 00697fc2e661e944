"""
Bytes to Message and back, byte-exact for what nobody touched.

    sniff       which format some bytes are: by content, never by name
    charset     MSH-18 to a codec, strict first, with a finding when it doesn't hold; the base of a message
    mixed       UTF-8 in which some bytes are broken: a codec
    opening     the doors: header_of, open_message, by format
    extent      limits: documents may be long, identities may not
    paths       PID-3[@ipp].1: compiled once, read and written on any Message
    pathwords   the grammar of a path and the sentences of its errors
    hl7v2/      delimiters, header, escapes, segments, message, batch, acknowledgements
    hprim/      HPRIM Santé and HPRIM Médecin, in the same terms

Everything works on bytes: a leaf is decoded when it is asked for, so that a charset never breaks routing.
"""

from engine.parsers.charset import base_of
from engine.parsers.opening import header_of, open_message
from engine.parsers.sniff import sniff

__all__ = ["base_of", "header_of", "open_message", "sniff"]
