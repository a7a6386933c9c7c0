"""Who is asking: people, projects (tenants), tokens, signing keys and what they did."""

from accounts.models.audit import AuditEvent, AuditHead
from accounts.models.id_tokens import UsedIdToken
from accounts.models.projects import Membership, Project
from accounts.models.signing_keys import SigningKey
from accounts.models.tokens import ApiToken
from accounts.models.users import User
from accounts.models.web_logins import WebLogin

__all__ = [
    "ApiToken",
    "AuditEvent",
    "AuditHead",
    "Membership",
    "Project",
    "SigningKey",
    "UsedIdToken",
    "User",
    "WebLogin",
]
