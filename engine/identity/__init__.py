"""
Who gave an identifier, and which identifiers stand for a patient.

    authorities   recognise the assigning authority of a CX; complete CX-4 and CX-5; values untouched
    patients      the patient references of a message, from which lane keys are made
    events        which events change an identity, which messages carry results
    hd            assigning authorities (HD) as they are written, compared without declaration
    ins           the INS by its OID: NIR, NIA, test, obsolete; form and key
    finess        form and check digit of a FINESS
    gates         what may leave to a destination: INS, insurance number, test identities
    statuses      the status of an identity (RNIV) with its reasons
    verdicts      what a comparison says: same, different, unknown
"""
