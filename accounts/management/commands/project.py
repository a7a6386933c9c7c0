"""`manage.py project create`."""

from typing import Any

from django.core.management.base import CommandError

from accounts import projects
from accounts.actors import SYSTEM
from accounts.management.verbs import NounCommand, user_named
from accounts.models import Project, User

FIELDS = ("tier", "review_policy", "signature_policy", "visibility")


class Command(NounCommand):
    """Projects, the tenants."""

    help = "Create projects."

    def add_verbs(self) -> None:
        parser = self.verb("create", self._create, "Create a project, or bring the owner's project up to date.")
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--owner", required=True, metavar="USER")
        parser.add_argument("--tier", choices=Project.Tier.values)
        parser.add_argument("--review", choices=Project.ReviewPolicy.values, dest="review_policy")
        parser.add_argument("--signatures", choices=Project.SignaturePolicy.values, dest="signature_policy")
        parser.add_argument("--visibility", choices=Project.Visibility.values)

    def _create(self, options: dict[str, Any]) -> None:
        slug, owner = options["slug"], user_named(options["owner"])
        wanted = {field: options[field] for field in FIELDS if options[field]}
        if existing := Project.objects.filter(slug=slug).first():
            self._update(existing, owner, wanted)
            return
        projects.create(slug, owner, SYSTEM, **wanted)
        self.say(f"Created {slug}, owned by {owner.username}.")

    def _update(self, project: Project, owner: User, wanted: dict[str, str]) -> None:
        """Give the owner's own project the values that were named; someone else's stays as it is."""
        if not project.memberships.filter(user=owner, role="owner").exists():
            raise CommandError(f"The project {project.slug} exists already, and {owner.username} does not own it.")
        changed = projects.configure(project, SYSTEM, **wanted)
        self.say(
            f"{project.slug} exists already. {'Changed: ' + ', '.join(changed) if changed else 'Nothing changed'}."
        )
