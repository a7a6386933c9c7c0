"""Tokens and signing keys: never a value, and two verbs, revoke and remove."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import signing_keys, tokens
from accounts.admin.tables import History, actor_of, chip, code, may_write, moment
from accounts.errors import RegistryError
from accounts.models import ApiToken, SigningKey


class LiveFilter(admin.SimpleListFilter):
    """Whether the credential works now."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Live, expired, revoked."""
        return [("live", _("Live")), ("expired", _("Expired")), ("revoked", _("Revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
        """The tokens in the chosen state."""
        now = timezone.now()
        match self.value():
            case "live":
                return queryset.filter(revoked_at__isnull=True, expires_at__gt=now)
            case "expired":
                return queryset.filter(revoked_at__isnull=True, expires_at__lte=now)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset


class Credentials(History):
    """A table whose only writing is an action for admins."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The action, for those who may use it."""
        return super().get_actions(request) if may_write(request) else {}

    def _each(self, request: HttpRequest, rows: QuerySet[Any], act: Callable[[Any], object]) -> int:
        """Do it to each row and say which refused, and why; returns how many went through."""
        done = 0
        for row in rows:
            try:
                act(row)
                done += 1
            except RegistryError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
        return done


@admin.register(ApiToken)
class ApiTokenTable(Credentials):
    """API tokens. Their values are nowhere, not even here."""

    list_display = (
        "name",
        "prefix_code",
        "user",
        "project",
        "scope_list",
        "state",
        moment("expires_at", _("expires")),
        moment("last_used_at", _("last used")),
    )
    list_filter = (LiveFilter, ("expires_at", admin.DateFieldListFilter))
    search_fields = ("name", "prefix", "user__username", "project__slug")
    search_help_text = _("A token’s name or first characters, a user name, a project.")
    date_hierarchy = "created_at"
    list_select_related = ("user", "project")
    actions = ("revoke",)
    fieldsets = (
        (None, {"fields": ("name", "prefix_code", "user", "project", "scope_list", "state")}),
        (_("Life"), {"fields": ("created_at", "expires_at", "revoked_at", "revoked_reason", "successor")}),
        (_("Use"), {"fields": ("last_used_at", "last_used_from")}),
    )
    readonly_fields = ("prefix_code", "scope_list", "state")

    @admin.action(description=_("Revoke: stop working at once, everywhere"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke the selected tokens."""
        done = self._each(
            request, queryset, lambda token: tokens.revoke(token, actor_of(request), "revoked in the admin")
        )
        text = ngettext("%d token no longer works.", "%d tokens no longer work.", done) % done
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description=_("token"), ordering="prefix")
    def prefix_code(self, token: ApiToken) -> SafeString | str:
        """Its first characters."""
        return code(f"{token.prefix}…")

    @admin.display(description=_("scopes"))
    def scope_list(self, token: ApiToken) -> str:
        """What it lets its holder do."""
        return ", ".join(token.scopes)

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> SafeString:
        """Live, expired or revoked."""
        if token.revoked_at:
            return chip("rejected", _("revoked"))
        return chip("approved", _("live")) if token.expires_at > timezone.now() else chip("unlisted", _("expired"))


@admin.register(SigningKey)
class SigningKeyTable(Credentials):
    """Public keys that people sign with. Removing one stops new signatures; old ones stay valid."""

    list_display = (
        "name",
        "user",
        "algorithm",
        "fingerprint_code",
        "state",
        moment("created_at", _("since")),
        moment("last_used_at", _("last used")),
    )
    list_filter = ("algorithm", ("removed_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "fingerprint", "user__username")
    search_help_text = _("A key’s name or fingerprint, a user name.")
    date_hierarchy = "created_at"
    list_select_related = ("user",)
    actions = ("remove",)
    fields = (
        "name",
        "user",
        "state",
        "algorithm",
        "fingerprint_code",
        "public_key",
        "created_at",
        "removed_at",
        "last_used_at",
    )
    readonly_fields = ("fingerprint_code", "state")

    @admin.action(description=_("Remove: sign nothing new"))
    def remove(self, request: HttpRequest, queryset: QuerySet[SigningKey]) -> None:
        """Remove the selected keys."""
        done = self._each(request, queryset, lambda key: signing_keys.remove(key, actor_of(request)))
        text = ngettext("%d key signs nothing new.", "%d keys sign nothing new.", done) % done
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description=_("fingerprint"), ordering="fingerprint")
    def fingerprint_code(self, key: SigningKey) -> SafeString | str:
        """What people compare."""
        return code(key.fingerprint)

    @admin.display(description=_("state"), ordering="removed_at")
    def state(self, key: SigningKey) -> SafeString:
        """Live or removed."""
        return chip("unlisted", _("removed")) if key.removed_at else chip("approved", _("live"))
