r"""
HL7 v2 in its encoding with bars and hats (HL7 v2.5 § 2.7), on bytes.

    delimiters   MSH-1 and MSH-2, whatever they are
    escapes      \\F\\ \\S\\ \\T\\ \\R\\ \\E\\ and the others
    header       what intake reads of every message, nothing more
    segments     one segment: fields split when asked for, edits kept apart from what was received
    message      a message: reading, copying, editing, bytes and splices
    rewriting    odd delimiters to the usual ones
    batch        FHS/BHS envelopes and several MSH in one block
    ack          acknowledgements, written and read
"""
