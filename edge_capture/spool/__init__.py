"""Batches on disk until the lake has them: durable before acknowledged, capped, and mending itself."""

from edge_capture.spool.item import BatchFacts, PlainText, Seal
from edge_capture.spool.spool import Loss, LossReason, Spool, SpoolCaps, SpoolItem, SpoolStatus

__all__ = [
    "BatchFacts",
    "Loss",
    "LossReason",
    "PlainText",
    "Seal",
    "Spool",
    "SpoolCaps",
    "SpoolItem",
    "SpoolStatus",
]
