"""Which transport serves which kind of source and destination."""

from __future__ import annotations

from engine.core.ports import Accept, DestinationDoor, RefuseBytes, Runtime, SourceDoor
from engine.core.reception import ReceptionBudget
from engine.routes.configuration import Destination, Source
from engine.transports.mllp_destination import MllpDestination
from engine.transports.mllp_source import MllpSource


def source_door(
    source: Source, accept: Accept, refuse: RefuseBytes, runtime: Runtime, budget: ReceptionBudget
) -> SourceDoor:
    """Build the door of one source; `type` was checked when the configuration was loaded."""
    if source.type == "directory":
        from engine.routes.directories import ending_of, named_by
        from engine.transports.directory import DirectorySource

        return DirectorySource(source, accept, refuse, runtime, named_by(source), ending_of(source))
    return MllpSource(source, accept, refuse, runtime, budget)


def destination_door(destination: Destination, runtime: Runtime) -> DestinationDoor:
    """Build the door of one destination; the MQTT client is imported only where it is used."""
    if destination.type == "directory":
        from engine.transports.directory import DirectoryDestination

        return DirectoryDestination(destination)
    if destination.type == "mqtt":
        from engine.transports.mqtt import MqttDestination

        return MqttDestination(destination, runtime)
    return MllpDestination(destination, runtime)
