"""
What a route does to a message: one verb a module.

    nodes         the parts of a YAML document, with file, line and column
    shapes        declared shapes of arguments: they read nodes, name what is wrong, feed the schema
    step          Context and Step: what runs, on what
    text          texts with values of the message: "abc {PID-3.1} {site}"
    tables        tables of codes, as `map` asks them
    verbs         the list of verbs

    set_, default, copy, delete, add, map_, require, foreach, normalise_authorities, render, tag, drop,
    reject
"""
