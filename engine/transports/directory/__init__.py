"""
Folders as doors: files come in, files go out.

    files        names, errors in words, what makes a rename durable; shared by both sides
    folder       the incoming folder as blocking calls: list, read, move away
    attachments  files that a message names: looked for inside its folder only
    source       DirectorySource: when a file is ready, how it is handed over and acknowledged
    destination  DirectoryDestination: one file a delivery, never overwritten

A file name may hold a patient's name or number: it is given to intake and written to disk, and stands in no
sentence, fact or log.
"""

from __future__ import annotations

from engine.transports.directory.destination import DirectoryDestination
from engine.transports.directory.source import DirectorySource

__all__ = ["DirectoryDestination", "DirectorySource"]
