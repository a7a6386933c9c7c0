"""The tables of the admin that say who is asking: people, projects, credentials, the audit trail."""

from accounts.admin import audit, credentials, people

__all__ = ["audit", "credentials", "people"]
