"""Commands of the form `manage.py NOUN VERB …`: each verb a method, each refusal one line and exit code 1."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import NotFound, RegistryError
from accounts.models import Project, User

Handler = Callable[[dict[str, Any]], None]


class NounCommand(BaseCommand):
    """A command with verbs; a subclass fills in `add_verbs` with `self.verb(...)`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-parser for each verb."""
        self._verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        self.add_verbs()

    def add_verbs(self) -> None:
        """Declare the verbs."""

    def verb(self, name: str, handler: Handler, help: str) -> ArgumentParser:
        """Declare one verb; returns its parser for the arguments."""
        parser: ArgumentParser = self._verbs.add_parser(name, help=help, description=help)
        parser.set_defaults(handler=handler)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the verb."""
        try:
            options["handler"](options)
        except RegistryError as refusal:
            raise CommandError(refusal.message) from refusal

    def say(self, message: str) -> None:
        """A remark for people, on stderr, so that stdout holds the result alone."""
        self.stderr.write(message, lambda text: text)


def user_named(username: str) -> User:
    """The user, or a refusal that says how to make one."""
    found = User.objects.filter(username=username).first()
    if found is None:
        raise NotFound(f"There is no user {username}. Create one: manage.py user create {username} --email ADDRESS")
    return found


def project_named(slug: str) -> Project:
    """The project, or a refusal that says how to make one."""
    found = Project.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no project {slug}. Create one: manage.py project create {slug} --owner USER")
    return found
