"""With what the values of a declared key are hashed, when a message is indexed and when an operator looks for one."""

from __future__ import annotations

from engine.core.references import References
from engine.identity.authorities import Recogniser
from engine.routes.configuration import Configuration, Key


def key_authority(key: Key, recogniser: Recogniser, site: str) -> str:
    """
    Return the authority that is hashed with a key's value.

    The declared authority where the key's path asks for one (`PID-3[@ipp].1`), else the site: two hospitals
    give the same stay number to two stays.
    """
    return recogniser.keys.get(key.authority, site) if key.authority else site


def search_hashes(configuration: Configuration, references: References, name: str, value: str) -> list[int]:
    """
    Return the hashes under which a value may have been indexed: one a site, for `find`.

    Args:
        configuration: Today's.
        references: The data directory's.
        name: A declared key, or `control`.
        value: What is looked for.
    """
    if name == "control":
        return [references.hash("control", "", value)]
    key = configuration.keys[name]
    authorities = dict.fromkeys(
        key_authority(key, configuration.authorities.of(site), site) for site in ["", *configuration.sites]
    )
    return [references.hash(name, authority, value) for authority in authorities]
