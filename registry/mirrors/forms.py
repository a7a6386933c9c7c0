"""The form of a region: a place in the EEA, a storage that can be used, and credentials that go in and never out."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import sealing
from registry.mirrors import buckets, stores
from registry.mirrors.models import Mirror

OPTIONS = {"endpoint_url", "region_name"}


class MirrorForm(forms.ModelForm):
    """A region. The country is judged by the model, the storage here."""

    latitude = forms.FloatField(
        label=gettext_lazy("Latitude"), required=False, validators=[MinValueValidator(-90), MaxValueValidator(90)],
        help_text=gettext_lazy("In degrees: where the map of the status page draws it"),
    )  # fmt: skip
    longitude = forms.FloatField(
        label=gettext_lazy("Longitude"), required=False, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    new_secret = forms.CharField(
        label=gettext_lazy("Secret key"), required=False, max_length=500, strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept encrypted and never shown again. Empty: as it is; without an access key, none."),
    )  # fmt: skip

    class Meta:
        model = Mirror
        fields = (
            "region", "name", "city", "country", "latitude", "longitude", "public_url", "storage_url", "access_key",
            "enabled", "window_opens", "window_closes",
        )  # fmt: skip
        labels = {
            "region": gettext_lazy("Region"),
            "name": gettext_lazy("Name"),
            "city": gettext_lazy("City"),
            "country": gettext_lazy("Country"),
            "public_url": gettext_lazy("Public address"),
            "storage_url": gettext_lazy("Stored at"),
            "access_key": gettext_lazy("Access key"),
            "enabled": gettext_lazy("Switched on"),
            "window_opens": gettext_lazy("Window opens"),
            "window_closes": gettext_lazy("Window closes"),
        }
        help_texts = {
            "storage_url": gettext_lazy(
                "file:directory (below DATA_DIR, or absolute), or s3://bucket/prefix?region_name=…&endpoint_url=…; "
                "empty: as MIRROR_STORAGE_URL says"
            )
        }

    def clean_country(self) -> str:
        """In capitals, as ISO writes it."""
        return str(self.cleaned_data["country"]).upper()

    def clean_storage_url(self) -> str:
        """Refuse what could not be stored in, or is taken already, with the reason."""
        url = str(self.cleaned_data["storage_url"]).strip()
        asked = Mirror(region=self.cleaned_data.get("region", ""), storage_url=url)
        if url.startswith("s3://"):
            _check_bucket(url)
        elif url.startswith("file:"):
            _check_directory(asked)
        elif url:
            raise ValidationError(_("Write file:directory, or s3://bucket/prefix with the endpoint in the query."))
        if any(_place(one) == _place(asked) for one in Mirror.objects.exclude(pk=self.instance.pk)):
            raise ValidationError(_("Another region is stored there. Two of them would take each other's files away."))
        return url

    def clean(self) -> dict[str, Any]:
        """A window has both ends, and a secret its key."""
        cleaned: dict[str, Any] = super().clean() or {}
        if (cleaned.get("window_opens") is None) != (cleaned.get("window_closes") is None):
            raise ValidationError({"window_closes": _("A window has two ends: give both of them, or neither.")})
        if cleaned.get("new_secret") and not cleaned.get("access_key"):
            raise ValidationError({"access_key": _("The secret key belongs to an access key: give it as well.")})
        if cleaned.get("access_key") and not (cleaned.get("new_secret") or self.instance.secret):
            raise ValidationError({"new_secret": _("The access key needs its secret key: give it as well.")})
        return cleaned

    def save(self, commit: bool = True) -> Mirror:
        """Seal a new secret, and forget the old one where there is no key for it any more."""
        mirror: Mirror = self.instance
        if self.cleaned_data["new_secret"]:
            mirror.secret = sealing.seal(self.cleaned_data["new_secret"], buckets.PURPOSE)
        elif not mirror.access_key:
            mirror.secret = ""
        saved: Mirror = super().save(commit)
        return saved


def _check_bucket(url: str) -> None:
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    if not parts.netloc or "@" in parts.netloc:
        raise ValidationError(_("Name the bucket after s3://, and give credentials in their own fields."))
    if strange := query.keys() - OPTIONS:
        raise ValidationError(
            _("The query may say %(known)s, and nothing else: %(strange)s."),
            params={"known": ", ".join(sorted(OPTIONS)), "strange": ", ".join(sorted(strange))},
        )
    for endpoint in query.get("endpoint_url", []):
        if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname:
            raise ValidationError(_("endpoint_url is an address that begins with https:// or http://."))
        if "@" in urlsplit(endpoint).netloc:  # else it would stand in every message about it
            raise ValidationError(_("Name the bucket after s3://, and give credentials in their own fields."))


def _place(mirror: Mirror) -> tuple[str, ...]:
    """Where a region lies, however its address is written."""
    url = mirror.stored_at
    if url.startswith("file:"):
        return (str(stores.root_of(mirror).resolve()),)
    parts = urlsplit(url)
    return (*parse_qs(parts.query).get("endpoint_url", ()), parts.netloc, parts.path.strip("/"))


def _check_directory(mirror: Mirror) -> None:
    """A region may lie anywhere but where this portal keeps what is its own."""
    place = stores.root_of(mirror).resolve()
    own = [Path(settings.STAGING_DIR), Path(settings.DATA_DIR) / "static"]
    if settings.STORAGE_URL.startswith("file://"):
        own.append(Path(urlsplit(settings.STORAGE_URL).path))
    if any(place in (one.resolve(), *one.resolve().parents) or one.resolve() in place.parents for one in own):
        raise ValidationError(_("This portal keeps its own files there. Choose a directory that is empty."))
