"""People. Their role is a permission group; their pseudonym is what audit events carry."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

ROLES = ("developer", "maintainer", "admin")


class User(AbstractUser):
    """A person with a role. Deleting personal data keeps the row under its pseudonym."""

    class Role(models.TextChoices):
        DEVELOPER = "developer", _("Developer")
        MAINTAINER = "maintainer", _("Maintainer")
        ADMIN = "admin", _("Admin")

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.DEVELOPER)
    pseudonym = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    default_project = models.ForeignKey(
        "accounts.Project", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["username"]

    @property
    def is_maintainer(self) -> bool:
        """Whether this person may decide over releases (admins may, too)."""
        return self.is_active and self.role in (self.Role.MAINTAINER, self.Role.ADMIN)

    @property
    def is_admin(self) -> bool:
        """Whether this person may do everything, unlisting and token registration included."""
        return self.is_active and self.role == self.Role.ADMIN
