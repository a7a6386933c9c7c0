# ruff: noqa: N999  # the command's name is what people type
"""`manage.py signing-key add`."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts import signing_keys, ssh_keys
from accounts.actors import SYSTEM
from accounts.management.verbs import NounCommand, user_named
from accounts.models import SigningKey


class Command(NounCommand):
    """Signing keys."""

    help = "Register the SSH public keys that people sign packages with."

    def add_verbs(self) -> None:
        parser = self.verb("add", self._add, "Register a public key; repeating it is no error.")
        parser.add_argument("--user", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("file", metavar="FILE", help="a .pub file, or - for standard input")

    def _add(self, options: dict[str, Any]) -> None:
        user, text = user_named(options["user"]), _content(options["file"])
        fingerprint = ssh_keys.fingerprint_of(ssh_keys.read_line(text).blob)
        if SigningKey.objects.filter(user=user, fingerprint=fingerprint, removed_at__isnull=True).exists():
            self.say(f"{user.username} has this key already. Nothing changed.")
        else:
            signing_keys.register(user, options["name"], text, SYSTEM)
            self.say(f"{user.username} may sign with this key now.")
        self.stdout.write(fingerprint)


def _content(name: str) -> str:
    """The text of the file, as far as a key could be long."""
    try:
        with sys.stdin if name == "-" else Path(name).open(encoding="ascii") as file:
            return file.read(ssh_keys.LONGEST_KEY + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read: {error}") from error
