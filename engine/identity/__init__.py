"""
Who gave an identifier, and which identifiers stand for a patient.

    authorities   recognise the assigning authority of a CX; complete CX-4 and CX-5; values untouched
    patients      the patient references of a message, from which lane keys are made
    events        which events change an identity, which messages carry results
    spellings     identifiers as they are written, with their authorities
    hd            assigning authorities (HD) as they are written
    undeclared    those that no site declares, for who has to declare them
    ins           the INS by its OID: NIR, NIA, test, obsolete; form and key
    finess        form and check digit of a FINESS
    gates         what may leave to a destination: INS, insurance number, test identities
    statuses      the status of an identity (RNIV) with its reasons
    traits        strict traits, their normal form, their comparison
    claims        what a message says of patients (nouns: claimed)
    crossreference   the view on what is known: rows that were read, decisions over them
    policy        what the group decided: registry, contracts, merges, unknown patients
    numbers       the federation identifier: made, verified
    decisions     who the patients of a message are; the rules are in deciding/
    acts          what identity officers do: link, unlink, apart, undo
    bulk          an existing cross-reference, a row at a time
"""
