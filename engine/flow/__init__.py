"""
The three stages; they meet only in the store.

    intake     takes bytes from the source doors, commits them, answers
    router     takes committed messages in the order of their place, evaluates the routes, commits deliveries
    delivery   sends each destination's deliveries in the order of their lanes, judges the answers

    decisions  the changes that the router's decisions are; asking: its side of the hospital's own code
    acts       what operators ask of a stage, one after the other; shared by router and delivery
"""
