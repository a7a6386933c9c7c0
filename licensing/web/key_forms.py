"""The forms of the pages of sold keys."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Project
from licensing import issuing
from licensing.keys import DEFAULT_NAME, LONGEST_NAME, Wanted
from licensing.models import LicenseKey
from registry.errors import InvalidInput
from registry.models import Package

TICKED_AT_MOST = 40


class _Form(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class NewKeyForm(_Form):
    """What a key is to open; projects with few packages tick them, others write their names."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME, initial=DEFAULT_NAME)
    packages: forms.Field = forms.CharField(
        label=_("Packages"),
        max_length=20_000,
        help_text=_("Names of this project’s packages, with spaces between them."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
    )
    constraint = forms.ChoiceField(label=_("Limit"), choices=LicenseKey.Constraint.choices, initial="none")
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        help_text=_("For a limit by date: the key works until the end of that day, UTC."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    range = forms.CharField(
        label=_("Range of versions"),
        max_length=issuing.LONGEST_RANGE,
        required=False,
        help_text=_("For a limit by versions, as in <2.0.0."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    fallback = forms.BooleanField(label=_("Versions published before the last day stay available"), required=False)

    def __init__(self, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = Package.objects.filter(project=project).order_by("name").values_list("name", flat=True)
        names = list(held.distinct()[: TICKED_AT_MOST + 1])
        self.ticks = len(names) <= TICKED_AT_MOST
        if self.ticks:
            self.fields["packages"] = forms.MultipleChoiceField(
                label=_("Packages"),
                choices=[(name, name) for name in names],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"required": _("Tick at least one.")},
            )

    def clean(self) -> dict[str, Any]:
        """With `wanted`, unless something is wrong."""
        said = super().clean() or {}
        if not self.errors:
            try:
                said["wanted"] = self._wanted(said)
            except InvalidInput as refusal:
                self.add_error(self._field_of(refusal, said), refusal.message)
        return said

    def _wanted(self, said: dict[str, Any]) -> Wanted:
        kind, until = said["constraint"], said["until"]
        if (kind != "date" and until) or (kind != "version" and said["range"]):
            why = gettext("Choose the limit that goes with it, or leave it out.")
            raise InvalidInput(why, details={"until" if until and kind != "date" else "range": [why]})
        value = until.isoformat() if until else said["range"]
        names = tuple(said["packages"]) if self.ticks else issuing.packages_in(said["packages"])
        limit = issuing.limit(kind, value, has_fallback=said["fallback"])
        return Wanted(name=said["name"], packages=names, **limit)

    def _field_of(self, refusal: InvalidInput, said: dict[str, Any]) -> str | None:
        field = next(iter(refusal.details), "")
        if field == "value":
            return "until" if said["constraint"] == "date" else "range"
        return field if field in self.fields else None


class ListForm(_Form):
    """A CSV, as a file or as text."""

    file = forms.FileField(
        label=_("CSV file"), required=False, widget=forms.FileInput(attrs={"accept": ".csv,text/csv"})
    )
    text = forms.CharField(
        label=_("Or its text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """With `raw`, the bytes of the one that was given."""
        said = super().clean() or {}
        file, text = said.get("file"), said.get("text", "")
        if file and file.size > issuing.MOST_BYTES:
            self.add_error("file", gettext("A list has at most 1 MiB."))
        elif bool(file) == bool(text.strip()):
            self.add_error(None, gettext("Choose a file, or paste its text."))
        else:
            said["raw"] = file.read() if file else text.encode()
        return said


class SureForm(_Form):
    """Whether it is really to be deleted."""

    sure = forms.BooleanField(label=_("Yes, delete this key for good"))
