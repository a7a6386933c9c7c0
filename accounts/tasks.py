"""What has to happen once a day; the times stand in config/celery.py."""

from celery import shared_task

from accounts import auditing, notices


@shared_task(name="accounts.announce_expiry")
def announce_expiry() -> None:
    """Write to people whose tokens end soon."""
    notices.announce()


@shared_task(name="accounts.cut_audit_trail")
def cut_audit_trail() -> None:
    """Drop the audit events that AUDIT_RETENTION_DAYS keeps no longer."""
    auditing.cut_by_age()
