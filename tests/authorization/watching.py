"""What one request did to the database: the tables it wrote to, and the audit events it left; then all is undone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from accounts.models import AuditEvent, AuditHead

WRITE = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
# A refusal may note itself, and that a token was used; the session may keep the message for the next page.
HARMLESS = frozenset({"accounts_auditevent", "accounts_audithead", "accounts_apitoken", "django_session"})


@dataclass
class Seen:
    """The writes of one request."""

    statements: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    refused: int = 0
    done: int = 0

    @property
    def tables(self) -> set[str]:
        return set(self.statements) - HARMLESS

    def note(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Called by Django in place of each statement."""
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.queries.append(sql)
        if match := WRITE.match(sql):
            self.statements.append(match[1])
        return execute(sql, params, many, context)


@contextmanager
def undone() -> Iterator[Seen]:
    """Watch what the block writes, count its audit events, and take everything back."""
    seen, last = Seen(), _last_event()
    with transaction.atomic():
        with connection.execute_wrapper(seen.note):
            yield seen
        if "accounts_auditevent" in seen.statements:
            outcomes = list(AuditEvent.objects.filter(seq__gt=last).values_list("outcome", flat=True))
            seen.refused = outcomes.count("refused")
            seen.done = len(outcomes) - seen.refused
        transaction.set_rollback(True)


def _last_event() -> int:
    return AuditHead.objects.values_list("seq", flat=True).first() or 0
