"""
Nouns and judgments; no I/O, no clock, no chance.

    messages    StoredMessage, Delivery, Attempt, Refusal: what is kept, field by field
    own_ids     the id under which a delivery leaves, which no restored directory gives again
    lifecycle   states of messages and deliveries, and every allowed transition
    changes     the closed set of changes that a store commits
    ports       what the stages ask of a store, of the doors and of the world (Runtime)
    ack         tables 0008 and 0357; what we answer and what we are answered
    judgment    from an answer to a verdict: delivered, try again, dead
    retry       delays between attempts, and when an attempt counts
    circuit     outages and storms of one destination
    reception   one budget of bytes for large messages, from their first byte until they are routed
    lanes       ordered delivery by several keys, in bounded memory
    lanetable   what of it is in memory
    splices     the difference between a received message and what is sent
    references  keyed hashes of identifiers: lane keys and search keys
"""
