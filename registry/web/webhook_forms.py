"""The forms of the webhook pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.webhooks.events import EVENTS


class WebhookForm(forms.Form):
    """Where it leads and what it asks for."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2048,
        help_text=_("An https address that takes a POST. An admin can allow one inside your network."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(
        label=_("What it is for"), max_length=120, required=False, help_text=_("“Deploys the web shop”.")
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=list(EVENTS.items()),
        initial=list(EVENTS),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class WebhookSettingsForm(WebhookForm):
    """The same for one that exists, which may be switched off."""

    is_enabled = forms.BooleanField(label=_("Switched on"), required=False)


class NewSecretForm(forms.Form):
    """How long the old secret goes on signing beside the new one."""

    overlap = forms.TypedChoiceField(
        label=_("The old secret signs, too, for"),
        choices=((24, _("24 hours")), (168, _("7 days")), (0, _("not at all"))),
        coerce=int,
        initial=24,
        help_text=_("Messages carry both signatures meanwhile. Choose “not at all” if the secret has got out."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
