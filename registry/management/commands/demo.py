"""`manage.py demo`: the demo content by itself."""

from typing import Any

from django.core.management.base import BaseCommand

from registry import demo


class Command(BaseCommand):
    """Safe to repeat: what is there already stays as it is."""

    help = "Publish, submit and decide the demo packages (real ones, small) that are not here yet."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(demo.load(self.stdout))
