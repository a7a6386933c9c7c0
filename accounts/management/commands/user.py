"""`manage.py user create` and `user reset-second-factor`."""

from typing import Any

from django.core.management.base import CommandError

from accounts import second_factor, users
from accounts.actors import SYSTEM
from accounts.management.verbs import NounCommand, user_named
from accounts.models import User
from accounts.models.users import ROLES


class Command(NounCommand):
    """People."""

    help = "Create people, give them roles, and let them in again."

    def add_verbs(self) -> None:
        parser = self.verb("create", self._create, "Create a person; repeating it with the same values is no error.")
        parser.add_argument("username", metavar="NAME")
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", choices=ROLES, default="developer")
        parser.add_argument("--password", help="without one, nobody can sign in as this person yet")
        parser = self.verb(
            "reset-second-factor",
            self._reset,
            "Take the second factor from somebody who lost phone and recovery codes.",
        )
        parser.add_argument("username", metavar="NAME")

    def _create(self, options: dict[str, Any]) -> None:
        name, role, password = options["username"], options["role"], options["password"]
        if existing := User.objects.filter(username=name).first():
            self._compare(existing, options)
            return
        warning = users.weakness(password) if password is not None else ""
        users.create(name, options["email"], SYSTEM, role=role, password=password, accept_weak_password=True)
        self.say(f"Created {name}, {role}.")
        if warning:
            self.say(f"The password is weak: {warning} Change it: manage.py changepassword {name}")
        elif password is None:
            self.say(f"{name} has no password. Set one: manage.py changepassword {name}")

    def _reset(self, options: dict[str, Any]) -> None:
        """Ask who is at the other end before you do this: it is what a thief with the password would ask for."""
        user = user_named(options["username"])
        second_factor.reset(user, SYSTEM)
        self.say(f"{user.username} signs in without a second factor now, and is signed out everywhere.")

    def _compare(self, user: User, options: dict[str, Any]) -> None:
        """Nothing to do, unless the person that exists is another one than the one asked for."""
        if user.email.lower() != options["email"].lower() or user.role != options["role"]:
            raise CommandError(f"{user.username} exists already, as {user.role} with the address {user.email}.")
        if options["password"] is not None and not user.check_password(options["password"]):
            raise CommandError(
                f"{user.username} exists already, with another password. "
                f"Change it: manage.py changepassword {user.username}"
            )
        self.say(f"{user.username} exists already. Nothing changed.")
