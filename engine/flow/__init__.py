"""
The three stages; they meet only in the store.

    intake     takes bytes from the source doors, commits them, answers
    router     takes committed messages in the order of their place, evaluates the routes, commits deliveries
    delivery   sends each destination's deliveries in the order of their lanes, judges the answers

    backlog, retransmissions   what the router has still to decide on; what came before with the same bytes
    evaluating decide on one message; decisions: the changes that these are; asking: the hospital's own code
    identities what is known of patients, shared by all routers
    waits      messages whose patient nobody knows yet; late: those that waited and are decided on now
    parting    what waits of patients who were parted; remaking: what one router makes of it
    trespassing   sources that speak of others' numbers: told, once an hour
    treating   what operators ask of a router; identity_acts: what officers ask of the cross-reference
    acts       what is asked of a stage, one after the other; shared by router and delivery
"""
