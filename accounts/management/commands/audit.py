"""`manage.py audit verify | export | cut`."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from accounts import audit_export, auditing
from accounts.errors import InvalidInput
from accounts.management.verbs import NounCommand

SHOWN = 20


class Command(NounCommand):
    """The audit trail."""

    help = "Check, export and cut the audit trail."

    def add_verbs(self) -> None:
        self.verb("verify", self._verify, "Walk the hash chain and name every event that was changed, added or cut.")
        export = self.verb("export", self._export, "Write the events to stdout, oldest first.")
        export.add_argument("--format", choices=sorted(audit_export.MEDIA_TYPES), default="jsonl")
        export.add_argument("--since", metavar="TIME", help="first moment, as 2026-01-31 or 2026-01-31T12:00:00+00:00")
        export.add_argument("--until", metavar="TIME", help="the moment before which to stop")
        self.verb("cut", self._cut, "Drop what AUDIT_RETENTION_DAYS keeps no longer; the chain stays verifiable.")

    def _verify(self, options: dict[str, Any]) -> None:
        problems, head = auditing.verify(), auditing.head()
        if problems:
            for problem in problems[:SHOWN]:
                self.stderr.write(f"#{problem.seq} {problem.kind}: {problem.message}")
            if len(problems) > SHOWN:
                self.say(f"… and {len(problems) - SHOWN} more.")
            raise CommandError(f"The audit trail is broken at event {problems[0].seq}.")
        if head.cut_seq:
            self.say(f"Retention has dropped the events up to #{head.cut_seq} {head.cut_hash}.")
        count = head.seq - head.cut_seq
        self.stdout.write(f"{count} events, an unbroken chain. Its head: #{head.seq} {head.hash}")

    def _export(self, options: dict[str, Any]) -> None:
        events = audit_export.between(_moment(options["since"]), _moment(options["until"]))
        for line in audit_export.lines(events, options["format"]):
            self.stdout.write(line.decode(), ending="")

    def _cut(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{auditing.cut_by_age()} events dropped.")


def _moment(text: str | None) -> datetime | None:
    """The time that was given, in UTC unless it says otherwise."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no time. Write it as 2026-01-31 or 2026-01-31T12:00:00+00:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
