"""
The rules by which a message's patients are decided (docs/developers/identity.md, rules 0 to 7).

    decision    what comes out; how a decision ends early; lane keys
    terms       what all rules share of one message: the draft, the policy, what was found
    draft       rows as the decision would leave them, over the view
    everyday    a known patient of whom nothing new is said: most messages
    dispatch    which rules an event asks
    knowing     rules 0 to 4: known, stay, INS, unknown; what is attached and asserted
    asserting   what a site says of a patient, one assertion a site
    agreeing    whether that can be the person of whom it and the others spoke before
    judging     what an INS that another patient holds allows
    ins         which INS a patient keeps
    joining     two patients become one, and what forbids it
    parting     numbers that get a patient of their own
    merging     A40 and its like; A47; A24 and A37
    moving      stays: A44, A41, A42, A49, A50…
    recalling   who is meant by a message that was decided on before
    following   another registry's A31 and A40
"""
