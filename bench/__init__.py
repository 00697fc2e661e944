"""
The figures that count: `python3 dev.py bench`.

    __main__    measures, part by part, and prints figures beside goals
    parsers     the parser alone, beside python-hl7 and hl7apy
    messages    the messages sent: an ADT of about 1 KB, synthetic
    load        closed-loop load: N connections, each sends, waits for its answer, sends the next
    sink        a receiver that accepts at once and remembers when
    machine     the engine as a child, memory, disk
    routes.yaml what the measured engine does: identifiers normalised, one code mapped, lanes on

The method is that of other engines' benchmarks: everything on one machine, plain asyncio at both ends, and
beside each figure the bare sink and the disk's own fsync rate, because machines differ.
"""
