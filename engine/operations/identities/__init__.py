"""
The cross-reference, as identity officers see it and change it.

    knowing      patients and identifiers by what operators type; rows read for a decision
    seeing       rows as people read them, values as pseudonyms unless revealed
    looking      find, show, history, statistics
    reviewing    the review list, the most urgent pairs first
    telling      who received an identifier (impact)
    deciding     link, unlink, mark apart, undo, jump the counter forward: consequence first, executed by the router
    remaining    what waits with numbers of two who are parted
    taking       an existing cross-reference, a batch of rows at a time; giving: the same, page by page

Patients are named by their id, a number that says nothing; identifiers are asked for, never typed on a command line.
"""
