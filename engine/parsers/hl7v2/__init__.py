r"""
HL7 v2 in its encoding with bars and hats (HL7 v2.5 § 2.7), on bytes.

    delimiters   MSH-1 and MSH-2, whatever they are
    escapes      \\F\\ \\S\\ \\T\\ \\R\\ \\E\\ and the others
    switching    text in other character sets; iso2022: which ones
    header       what intake reads of every message, nothing more
    lines        bytes to lines; a document of 50 MB is in memory once
    layout       which segments a message has, and where: found once for all messages of a shape
    preparing    received bytes to the parts of a message: charset, base, lines
    segments     one segment: fields split when asked for, edits kept apart from what was received
    message      a message: reading, copying, editing, bytes and splices
    difference   what was edited, as splices against the base
    continuation segments that go on in ADD; fragments: messages that go on in other messages (DSC)
    rewriting    odd delimiters to the usual ones
    batch        FHS/BHS envelopes and several MSH in one block
    ack          acknowledgements, written and read
"""
