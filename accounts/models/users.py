"""People. Their role is a permission group; their pseudonym is what audit events carry."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
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
    second_factor_since = models.DateTimeField(_("second factor since"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["username"]

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the role may be used only with a second factor, and this person has none yet."""
        return self.second_factor_since is None and self.role in settings.MFA_REQUIRED_ROLES

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, which ends sessions with the password they were opened with; here with the second factor, too."""
        plain = str(super()._get_session_auth_hash(secret))  # type: ignore[misc]  # Django has it, its stubs do not
        if self.second_factor_since is None:
            return plain
        since = self.second_factor_since.timestamp()
        return salted_hmac("accounts.User.session", f"{plain}:{since}", secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_maintainer(self) -> bool:
        """Whether this person may decide over releases (admins may, too)."""
        return self.is_active and self.role in (self.Role.MAINTAINER, self.Role.ADMIN)

    @property
    def is_admin(self) -> bool:
        """Whether this person may do everything, unlisting and token registration included."""
        return self.is_active and self.role == self.Role.ADMIN
