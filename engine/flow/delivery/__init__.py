"""
Delivery: each destination's deliveries leave in the order of their lanes.

The next of a lane leaves when the outcome of the previous one is on disk.

    stage       all destinations; holds, operators' intentions, facts
    queue       one destination: lanes, circuit, door and store joined
    boarding    what was taken from its lanes and hasn't left yet
    reading     what a queue reads from the store: pages, lanes, bytes
    flight      one send and its Settle: the verdict as a change
    settling    outcomes on their way to the disk
    budget      how many rendered bytes stay in memory
    outage      who is probed next, what is given back, what is told
    staying     which deliveries stay in their place for now
    parking     dead deliveries that keep their place
    passing     results that may pass a parked one
    deadlines   one timer for everything of a destination that waits for a moment
    holds       the predicate of operators' holds
    intentions  operators' acts, executed in their order
    status      facts and the sentence that says why
"""

from engine.flow.delivery.stage import DeliveryStage

__all__ = ["DeliveryStage"]
