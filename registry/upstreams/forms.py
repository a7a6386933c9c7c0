"""The form of an upstream: an address that may be visited, and a credential that goes in and never out."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import outgoing
from registry.outgoing import Allowance, NotAllowed
from registry.upstreams import connecting
from registry.upstreams.models import Offer, Upstream
from registry.upstreams.sources import layouts
from registry.upstreams.through import allowing

PLACE = {"kind", "base_url", "repository", "ecosystem"}
SELECTION = {"include", "exclude"}
LONGEST_PATTERN = 214


class Patterns(forms.CharField):
    """Globs over names, one a line."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
        super().__init__(required=False, max_length=50_000, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        """A line for each."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines that hold something, each once."""
        lines = (line.strip() for line in str(value or "").splitlines())
        found = list(dict.fromkeys(line for line in lines if line))
        if any(len(line) > LONGEST_PATTERN for line in found):
            raise ValidationError(_("A pattern has at most %d characters.") % LONGEST_PATTERN)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the patterns are others; how they were typed does not count."""
        return self.to_python(data) != (initial or [])


class UpstreamForm(forms.ModelForm):
    """An upstream. A stored secret does not follow it to another host."""

    include = Patterns(
        label=gettext_lazy("Take"),
        help_text=gettext_lazy("Names, one a line; * stands for anything: @acme/*. Empty: everything."),
    )
    exclude = Patterns(label=gettext_lazy("Leave out"), help_text=gettext_lazy("These never, in the same form."))
    new_secret = forms.CharField(
        label=gettext_lazy("Password, key or token"), required=False, max_length=4000, strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept encrypted and never shown again. Empty: as it is."),
    )  # fmt: skip

    class Meta:
        model = Upstream
        fields = (
            "name", "kind", "base_url", "repository", "ecosystem", "login", "user_name", "allows_private", "include",
            "exclude", "project", "visibility", "needs_review", "pulls_through", "pull_through_for", "enabled",
            "every_hours", "max_file_mb", "requests_per_second",
        )  # fmt: skip

    def clean_new_secret(self) -> str:
        """What can stand in a header."""
        secret = str(self.cleaned_data["new_secret"])
        if not (secret.isascii() and (secret.isprintable() or not secret)):
            raise ValidationError(_("A password, key or token is plain text in one line."))
        return secret

    def clean(self) -> dict[str, Any]:
        """Refuse what could never be visited or asked, with the reason."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "base_url" in cleaned:
            self._check_address(cleaned)
        if cleaned.get("kind") == Upstream.Kind.ARTIFACTORY:
            self._check_repository(cleaned)
        if cleaned.get("pulls_through") and cleaned.get("ecosystem") == "generic":
            self.add_error("pulls_through", _("Only npm and Python packages are pulled through."))
        if cleaned.get("login") == Upstream.Login.BASIC and not cleaned.get("user_name"):
            self.add_error("user_name", _("A password belongs to a user name: give it as well."))
        if cleaned.get("login") and not cleaned.get("new_secret") and not self._may_keep_secret(cleaned):
            self.add_error("new_secret", _("Give it (again): it is sent to no other host than it was given for."))
        return cleaned

    def _check_address(self, cleaned: dict[str, Any]) -> None:
        inside = bool(cleaned.get("allows_private"))
        try:
            outgoing.check(cleaned["base_url"], Allowance(http=inside, private=inside))
        except NotAllowed as refusal:
            self.add_error("base_url", refusal.message)

    def _check_repository(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("repository"):
            self.add_error("repository", _("Name the repository by its key."))
        if cleaned.get("ecosystem") not in layouts.RULES:
            self.add_error("ecosystem", _("Choose npm, Python or Generic."))

    def _may_keep_secret(self, cleaned: dict[str, Any]) -> bool:
        """Whether there is one, and its host is the one that it was given for."""
        before = urlsplit(str(self.initial.get("base_url", "")))
        after = urlsplit(str(cleaned.get("base_url", "")))
        same = (before.scheme, before.netloc) == (after.scheme, after.netloc)
        return bool(self.instance.secret) and same and self.initial.get("login") == cleaned.get("login")

    def save(self, commit: bool = True) -> Upstream:
        """Seal a new secret; what is wanted from elsewhere, or no longer, is listed anew."""
        upstream: Upstream = self.instance
        if not upstream.login:
            upstream.secret, upstream.user_name = "", ""
        elif self.cleaned_data["new_secret"]:
            connecting.seal(upstream, self.cleaned_data["new_secret"])
        if upstream.pk and (PLACE | SELECTION) & set(self.changed_data):
            upstream.bookmark = {}
            Offer.objects.filter(upstream=upstream, state__in=(Offer.State.WANTED, Offer.State.FAILED)).delete()
        if "every_hours" in self.changed_data:
            hours = upstream.every_hours
            upstream.due_at = timezone.now() + timedelta(hours=hours) if hours else None
        saved: Upstream = super().save(commit)
        allowing.forget()
        return saved
