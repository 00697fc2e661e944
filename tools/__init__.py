"""Scripts for those who work on Passerelle; nothing here is installed or run by the engine."""
