"""Announcements, sent after commit. Whoever listens must be quick: enqueue a job, do not do it here."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from registry.models import Release

release_published = Signal()  # release: a new version stands, its checks are queued
release_approved = Signal()  # release: it may be served from now on
release_retired = Signal()  # release: rejected, quarantined, unlisted or removed
feed_moved = Signal()  # kind: a change stands at the end of the feed

# Sent inside the transaction that records it, so that what a listener writes stands or falls with it.
decision_recorded = Signal()  # decision: a row of registry.models.Decision


def announce(signal: Signal, release: "Release") -> None:
    """Send the signal once the current transaction is committed; a listener that fails stops nobody else."""
    transaction.on_commit(lambda: signal.send_robust(sender=type(release), release=release))


def announce_change(kind: str) -> None:
    """Say after commit that the change feed has moved."""
    transaction.on_commit(lambda: feed_moved.send_robust(sender=None, kind=kind))
