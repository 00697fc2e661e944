"""
Passerelle: custody, normalisation and ordered delivery of HL7 v2 and HPRIM messages.

The walk of a message, room by room (see ARCHITECTURE.md):

    transports (source) -> flow.intake -> store -> flow.router -> store
                                                -> flow.delivery -> transports (destination)

A room knows only the rooms below it; `daemon` is the one place where they meet.
"""
