"""
Where code of the hospital's own runs: worker processes, which are ended when they don't return.

    worker     the process: reads calls, runs functions, writes replies; what a function gets
    frames     how calls and replies travel
    pool       starts workers, asks them, ends them
    at_once    the same for who can wait: commands, tests

A worker is no wall against malice: the code is the hospital's, and runs as the engine's user. It keeps the engine from
its faults: a loop without end, memory without end, a crash.
"""
