"""
The simulated GHT: systems that send, a DPI that receives; for the demo, tests and benchmarks.

    patients    a deterministic population of people who don't exist
    writing     segments and messages as text and bytes, spelled as each system spells them
    systems     which systems a configuration calls for: the habits of each, and its sequence of control ids
    gam         admissions: identities, movements, merges, corrections of one hospital
    lis         the laboratory that hospitals share: results; and the town laboratory's HPRIM files
    ris         the radiology that hospitals share: orders and reports
    story       what happens to the patients, hospital after hospital: the order of all messages
    sender      an MLLP client with the manners of legacy systems
    dpi         a receiver with moods: answers, refuses, hangs, disappears; checks order
    moods       when the DPI changes its mood: by a script, or by chance
    ght         all of them together against one engine
    command     `passerelle simulate`
    screen      the live screen of the demo
    demo        `passerelle run --demo`: the engine, the GHT and the screen

Nothing here is a real patient: names are drawn from short lists, insurance numbers begin with 5 under the
test OID 1.2.250.1.213.1.4.10, establishments are those of the configuration.
"""
