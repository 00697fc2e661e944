"""
What the standards call things: segments, fields, data types, tables, message structures.

    versions     HL7 v2.1 to 2.8.2; which of them MSH-12 means
    entries      one field, component, data type, segment, table, event
    rows         the data files: one fact a line, with the versions for which it holds
    dictionary   everything about one version, read when it is asked for, with or without PAM France; names in words
    limits       how far a path may reach in any version: for lint
    data/        hl7/ (made by tools/make_dictionary.py), pam_fr/ (written by hand)

Knows nothing of messages; a message knows nothing of it.
"""
