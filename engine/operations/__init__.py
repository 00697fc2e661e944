"""
What operators do, once, for the command line and the control socket.

    desk         what every operation needs: store, clock, the running engine's facts
    service      `Operations`: name of an operation -> its function, arguments checked
    status       is anything stuck, silent, refused? with the balance line
    queues       waiting deliveries, lanes, holds
    dead         dead letters: list, groups, retry, pass, discard, restore
    codes        what each code on them means, and what to do next
    messages     find, show, raw, trace; refusals
    identities   the cross-reference: look, review, link, unlink, undo, who received what, take over, give
    tables       codes that stored messages asked for in vain
    asking       code of the hospital's own, for trials in a thread
    trying       a stored message on a route, step by step; candidate: a configuration that doesn't run yet
    planning     what another configuration would change, and its effect on stored messages
    changing     the running configuration: apply, confirm, roll back, what ran when
    balance      received = delivered + waiting + …; rows, wording: ids, states, ages as people read them
    waits        until when messages wait for what isn't there yet, and what then
    acts         intentions: recorded, audited, their outcome awaited
    masking      bodies without patient values; pseudonyms gives identifiers a stable, meaningless name
    trees        messages of a file as trees: names, values, words of tables, marks
    presence     since when the engine runs, or is stopped
    control      the server on DIR/control.sock; client is its other end, address where it lies
    offline      the same operations without a running engine, under the data directory's lock

Answers are plain dicts that go to JSON as they are: `"v": 1`, times in milliseconds since 1970 UTC, fields
are only ever added. No answer holds a patient value unless it was revealed with a reason, which is audited; trees are
made of files that their owner names, and are no answers.
"""
