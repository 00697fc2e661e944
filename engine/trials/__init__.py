"""
Routes on trial: tests, and one message step by step; nothing is sent, nothing is stored.

    messages     bytes that are given, as intake would take them
    running      the messages of a test through the routes, one after the other
    judging      what a test expects, compared with what became of its messages; copies: with one delivery
    endings      how a message ended, in words
    leaving      the order in which a destination's lanes let deliveries leave
    difference   what differs between two messages, leaf by leaf
    effects      what another configuration makes of stored messages
    following    one message through one route, step by step; telling: as plain values
    fictive/     stored messages made into fixtures about nobody
    explaining   the clauses of a route's conditions, with their truth and what they saw
    report       tests as people read them; junit: as build servers do
"""
