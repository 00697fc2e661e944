"""
What the engine tells about itself; never a value of a message.

    logs     structlog to standard error: lines for people on a terminal, JSON elsewhere
    alerts   what needs a person: one at the start, one at the end, the last ones kept for `status`
"""
