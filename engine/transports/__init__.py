"""
Doors: they move bytes and keep time; they know no HL7.

    mllp_source, mllp_destination   MLLP over TCP (protocols.mllp)
    directory                       files, both sides
    mqtt                            publication to a broker
"""
