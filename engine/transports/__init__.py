"""
Doors: they move bytes and keep time; they know no HL7.

    mllp_source, mllp_destination   MLLP over TCP (protocols.mllp)
    addresses                       whether a source can listen, before a start changes anything
    admission                       who may connect to a source, and how often
    keepalive                       peers that are gone without a word
    directory                       files, both sides
    mqtt                            publication to a broker
"""
