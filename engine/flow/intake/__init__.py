"""
Intake: from a block to a message on disk and its acknowledgement.

    stage.py    what all sources have in common: back-pressure, waiting while the store can't store
    source.py   one source: header, custody, answers, refusals
    batch.py    the answers of a batch's messages
    large.py    large messages until they are routed
"""

from engine.flow.intake.source import SourceIntake
from engine.flow.intake.stage import Intake

__all__ = ["Intake", "SourceIntake"]
