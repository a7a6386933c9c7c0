"""The form by which a maintainer answers for a finding."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry.models import Release
from scanning import waiving
from scanning.models import Finding, Waiver

THIS, RANGE, EVERY = "this", "range", "every"
USUAL_DAYS = 30


class WaiverForm(forms.Form):
    """Why, for which versions, and until when; there is no waiver without an end."""

    reason = forms.CharField(
        label=gettext_lazy("Why it may stand"),
        max_length=waiving.REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What makes it harmless here. It stays with the waiver, beside your name."),
    )
    reach = forms.ChoiceField(label=gettext_lazy("For which versions"), widget=forms.RadioSelect, initial=THIS)
    versions = forms.CharField(
        label=gettext_lazy("The range"),
        required=False,
        max_length=256,
        help_text=gettext_lazy("In the grammar of its ecosystem, if you chose a range."),
    )
    expires_at = forms.DateField(
        label=gettext_lazy("Until the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, finding: Finding, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.finding = finding
        today, last = timezone.now().date(), last_day()
        only_this = _("%(package)s %(version)s only") % {"package": finding.package, "version": finding.version}
        every = _("every version of %(package)s") % {"package": finding.package}
        choices = [(THIS, only_this), (RANGE, _("a range of versions")), (EVERY, every)]
        self.fields["reach"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField, declared above
        end = self.fields["expires_at"]
        end.initial = min(today + timedelta(days=USUAL_DAYS), last)
        end.widget.attrs |= {"min": f"{today:%Y-%m-%d}", "max": f"{last:%Y-%m-%d}"}
        said = {"days": settings.WAIVER_MAX_DAYS, "last": f"{last:%Y-%m-%d}"}
        end.help_text = _("In UTC. A waiver holds for %(days)s days at most: %(last)s is the last day.") % said

    def clean(self) -> dict[str, Any]:
        """A range where one was chosen."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("reach") == RANGE and not cleaned.get("versions", "").strip():
            self.add_error("versions", _("Write the range, or choose this version only."))
        return cleaned

    def waiver(self, release: Release) -> Waiver:
        """What was filled in, for the project of the release."""
        given, finding = self.cleaned_data, self.finding
        ranges = {
            THIS: waiving.exactly(finding.ecosystem, finding.version),
            RANGE: given["versions"].strip(),
            EVERY: "*",
        }
        return Waiver(
            identifier=finding.identifier,
            ecosystem=finding.ecosystem,
            package=finding.package,
            version_range=ranges[given["reach"]],
            project=release.project,
            reason=given["reason"],
            expires_at=datetime.combine(given["expires_at"] + timedelta(days=1), time(), UTC),
        )


def last_day() -> date:
    """The last day at whose end a waiver that is given now may end."""
    return (waiving.longest_end() - timedelta(days=1)).date()
