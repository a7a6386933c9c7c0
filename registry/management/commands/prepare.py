"""`manage.py prepare`: what stands between an empty folder and a portal that can be started."""

import hashlib
import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from accounts import users
from accounts.actors import SYSTEM
from accounts.models import User
from registry import demo

ADMIN = "admin"
UNUSED = ["redoc", "rest_framework"]  # pages of our libraries that no route of ours shows


class Command(BaseCommand):
    """Safe to repeat: each step does only what is missing. Progress on stderr, one line of JSON on stdout."""

    help = "Bring database, reference data, static files, the admin account and the demo content up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave the demo content out, as DEMO=0 does")

    def handle(self, *args: Any, **options: Any) -> None:
        report: dict[str, str] = {}
        self._say("database", migrate())
        self._say("files", collect_static())
        if made := make_admin(os.environ.get("ADMIN_PASSWORD", "")):
            report["admin"] = made
        if settings.DEMO and not options["no_demo"]:
            self._say("demo", demo.load(self.stderr))
        self.stdout.write(json.dumps(report))

    def _say(self, step: str, how: str) -> None:
        self.stderr.write(f"  {step:<9}{how}", str)


def migrate() -> str:
    """Bring the tables and the permission groups up to date."""
    call_command("migrate", interactive=False, verbosity=0)
    users.sync_groups()
    return f"{connection.vendor}, up to date"


def collect_static() -> str:
    """Gather the static files unless those gathered are of this state of the sources."""
    stamp, state = Path(settings.STATIC_ROOT) / ".gathered", _state_of_sources()
    if stamp.is_file() and stamp.read_text() == state:
        return "up to date"
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)
    stamp.write_text(state)
    return "gathered"


def _state_of_sources() -> str:
    """A digest over names, sizes and times of our static files, and over the locked versions of everybody else's."""
    seen = hashlib.sha256((settings.BASE_DIR / "requirements.lock").read_bytes())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            found = path.stat()
            seen.update(f"{path}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def make_admin(password: str) -> str:
    """The first admin, with the given password; returns the name, or "" where an admin exists."""
    if not password or User.objects.filter(role=User.Role.ADMIN, is_active=True).exists():
        return ""
    return users.create(ADMIN, "admin@localhost.localdomain", SYSTEM, role="admin", password=password).username
