"""Whom packages trust, and the keys that sign what is served: to look at; both are changed elsewhere."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.tables import History, code, moment
from registry.models import RegistryKey, TrustedPublisher


@admin.register(TrustedPublisher)
class TrustTable(History):
    """Pipelines that may publish a package; owners of its project say so, and take it back."""

    list_display = (
        "package", "provider", "subject_code", "may_publish", "may_stage", "created_by",
        moment("created_at", _("created")), moment("last_used_at", _("last used")),
    )  # fmt: skip
    list_select_related = ("package", "created_by")
    list_filter = ("provider",)
    search_fields = ("package__name", "subject")
    search_help_text = _("A package’s name, or the repository.")
    fields = (
        "package", "provider", "issuer", "subject", "claims", "pinned", "may_publish", "may_stage", "created_by",
    )  # fmt: skip

    @admin.display(description=_("repository"), ordering="subject")
    def subject_code(self, one: TrustedPublisher) -> SafeString | str:
        """The repository in the code font."""
        return code(one.subject)


@admin.register(RegistryKey)
class KeyTable(History):
    """The keys that npm's clients check what is served with; the private halves are not shown."""

    list_display = (
        "keyid", "scheme", moment("created_at", _("created")), moment("expires_at", _("expires")),
        moment("revoked_at", _("revoked")),
    )  # fmt: skip
    fields = ("keyid", "scheme", "public_key")
