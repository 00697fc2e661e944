"""
Who gave an identifier, and which identifiers stand for a patient.

    authorities   recognise the assigning authority of a CX; complete CX-4 and CX-5; values untouched
    patients      the patient references of a message, from which lane keys are made
    events        which events change an identity, which messages carry results
"""
