"""Withholding: damaged bytes leave service at once, whoever meets them, and a job of kind `mend` brings whole ones."""

import logging

from django.db import transaction

from registry import storage, tasks
from registry.models import Blob

logger = logging.getLogger(__name__)


def hold_back(blob: Blob, damage: str) -> bool:
    """Take damaged bytes out of service and have them mended; False where somebody else did or they are replaced."""
    with transaction.atomic():
        held = storage.quarantine(blob, damage)
        if held:
            tasks.enqueue("mend", blob.pk)
    if held:
        logger.error("Blob %s is %s; it is held back until it is mended", blob.key, damage)
    return held
