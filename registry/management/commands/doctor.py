"""`manage.py doctor`: what is wrong with this installation, and the command that mends it."""

from typing import Any

from django.core.management.base import BaseCommand

from registry.management.diagnosis import examine


class Command(BaseCommand):
    """Looks and changes nothing; its status is 1 when something needs mending."""

    help = "Say what is wrong with this installation, and the command that mends it. Status 1 if anything is."
    requires_system_checks: list[str] = []  # a wrong setting is one of the findings

    def handle(self, *args: Any, **options: Any) -> None:
        ill = 0
        for finding in examine():
            ill += not finding.is_well
            mark = self.style.SUCCESS("ok  ") if finding.is_well else self.style.ERROR("mend")
            self.stdout.write(f"{mark} {finding.what:<10}{finding.how}")
            if finding.remedy:
                self.stdout.write(f"{'':15}-> {finding.remedy}")
        if ill:
            self.stdout.write(f"{ill} to mend.")
            raise SystemExit(1)
        self.stdout.write("All is well.")
