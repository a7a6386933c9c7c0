"""`manage.py audit verify`."""

from typing import Any

from django.core.management.base import CommandError

from accounts import auditing
from accounts.management.verbs import NounCommand

SHOWN = 20


class Command(NounCommand):
    """The audit trail."""

    help = "Check the audit trail."

    def add_verbs(self) -> None:
        self.verb("verify", self._verify, "Walk the hash chain and name every event that was changed, added or cut.")

    def _verify(self, options: dict[str, Any]) -> None:
        problems, head = auditing.verify(), auditing.head()
        if problems:
            for problem in problems[:SHOWN]:
                self.stderr.write(f"#{problem.seq} {problem.kind}: {problem.message}")
            if len(problems) > SHOWN:
                self.say(f"… and {len(problems) - SHOWN} more.")
            raise CommandError(f"The audit trail is broken at event {problems[0].seq}.")
        self.stdout.write(f"{head.seq} events, an unbroken chain. Its head: #{head.seq} {head.hash}")
