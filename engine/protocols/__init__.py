"""
Conversations without sockets: bytes in, events out.

    mllp      blocks of the minimal lower layer protocol, encoder and decoder (HL7 v2.5 appendix C, MLLP r1)
    exchange  one message that awaits its acknowledgement on one connection
"""
