"""`manage.py token create`."""

from typing import Any

from accounts import tokens
from accounts.actors import SYSTEM
from accounts.management.verbs import NounCommand, project_named, user_named
from accounts.models.tokens import SCOPES


class Command(NounCommand):
    """API tokens."""

    help = "Create API tokens."

    def add_verbs(self) -> None:
        parser = self.verb("create", self._create, "Create a token; it stands alone on stdout, this one time.")
        parser.add_argument("--user", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--scope", required=True, action="append", choices=SCOPES, help="may be repeated")
        parser.add_argument("--project", metavar="SLUG", help="bind the token to one project")
        parser.add_argument("--expires", type=int, default=tokens.DEFAULT_DAYS, metavar="DAYS")

    def _create(self, options: dict[str, Any]) -> None:
        user = user_named(options["user"])
        project = project_named(options["project"]) if options["project"] else None
        token, raw = tokens.issue(
            user, options["name"], options["scope"], project=project, days=options["expires"], actor=SYSTEM
        )
        self.say(f"A token for {user.username} with {', '.join(token.scopes)}, until {token.expires_at:%Y-%m-%d}.")
        self.stdout.write(raw)
