"""
Compare HL7 v2 messages with a profile: structure, fields, data types, tables, and what a nation or a site wants.

    findings     what is said: rule, severity, path, sentence
    profile      what messages are compared with; reading makes one of YAML, conformance of a conformance profile
                 in XML, shipped knows those that come along (profiles/)
    grammar      message structures in HL7's abstract syntax; matching compares a message's segments with one
    shapes       what a field must look like; resolving makes shapes of the dictionary and a profile
    patterns     what surely fits a shape, in one match; checks judges the rest; datatypes: dates, numbers
    segments     the checks of one segment
    rules        what depends on the event or on other fields
    keys         check digits (digits) of INS and FINESS in a message
    report       collects the findings of one message
    validator    all of it, compiled once

No finding holds a value of the message.
"""
