"""The forms of the sign-in and profile pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from accounts import projects, users
from accounts.models import Membership, Project, User
from accounts.tokens import DEFAULT_DAYS, MAX_DAYS
from accounts.wording import LONGEST_NAME

# What each scope lets its holder do, as people say it.
SCOPE_WORDS = {
    "read": _("See and download the private packages of your projects."),
    "publish": _("Publish packages, and submit third-party ones for review."),
    "review": _("Approve, reject and re-scan releases. Give it to few scripts."),
    "licenses": _("Make and change licence keys for private packages."),
    "sync": _("Start and watch pulls from upstream registries."),
    "admin": _("Everything, removing versions included. Avoid it where another scope will do."),
}
LIFETIMES = ((7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (180, _("180 days")), (365, _("1 year")))
LONGEST_PASSWORD = 4096


class SignInForm(AuthenticationForm):
    """Name and password, with one answer for everything that can be wrong."""

    error_messages = {
        "invalid_login": _(
            "The name or the password is wrong. Check both; after many wrong tries, wait a quarter of an hour."
        ),
        "inactive": _(
            "The name or the password is wrong. Check both; after many wrong tries, wait a quarter of an hour."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = _("User name")
        self.fields["password"].validators.append(MaxLengthValidator(LONGEST_PASSWORD))


class CodeForm(forms.Form):
    """Six digits from an app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("What your app shows now, or a recovery code."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false", "class": "code"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class ProofForm(CodeForm):
    """Six digits that prove that the app has the secret; there are no recovery codes yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = ""
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class NewTokenForm(forms.Form):
    """A token's name, scopes, project and lifetime; only what the person's role allows is offered."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, help_text=_("Where it will be used: “CI of the web shop”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Tick at least one.")},
    )
    project = forms.ModelChoiceField(
        Project.objects.none(),
        label=_("Project"),
        required=False,
        to_field_name="slug",
        empty_label=_("All my projects"),
        help_text=_("A token for one project sees nothing of the others."),
    )
    days = forms.TypedChoiceField(
        label=_("Works for"), choices=LIFETIMES, coerce=int, initial=DEFAULT_DAYS, help_text=_("Shorter is safer.")
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        allowed = users.session_scopes_of(user)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(scope, words) for scope, words in SCOPE_WORDS.items() if scope in allowed]
        project = self.fields["project"]
        assert isinstance(project, forms.ModelChoiceField)
        project.queryset = Project.objects.filter(memberships__user=user)


class NewSigningKeyForm(forms.Form):
    """A public key with a name."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME, help_text=_("The machine it lives on: “laptop”."))
    public_key = forms.CharField(
        label=_("Public key"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text=_("The one line of a .pub file. Never the private key."),
    )


class NewProjectForm(forms.Form):
    """A project's slug and name."""

    slug = forms.CharField(
        label=_("Short name"), max_length=projects.LONGEST_SLUG, help_text=_("Lower-case letters, digits and hyphens.")
    )
    name = forms.CharField(label=_("Full name"), max_length=LONGEST_NAME, required=False)


class ProjectSettingsForm(forms.Form):
    """What the owners of a project choose."""

    review_policy = forms.ChoiceField(
        label=_("Review"),
        choices=Project.ReviewPolicy.choices,
        help_text=_("Who approves what the project publishes. Third-party packages always wait for a maintainer."),
    )
    signature_policy = forms.ChoiceField(
        label=_("Signatures"),
        choices=Project.SignaturePolicy.choices,
        help_text=_("A signature that is there must be good, whatever you choose."),
    )
    visibility = forms.ChoiceField(
        label=_("New packages are"),
        choices=Project.Visibility.choices,
        help_text=_("Packages that exist already stay as they are."),
    )


class LeavingForm(forms.Form):
    """The password once more, before everything goes; the user name of people who have no password."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    username = forms.CharField(
        label=_("Your user name"), max_length=150, widget=forms.TextInput({"autocomplete": "off"})
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        del self.fields["username" if user.has_usable_password() else "password"]


class NewMemberForm(forms.Form):
    """Who joins a project, and as what."""

    username = forms.CharField(label=_("User name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER)


assert max(days for days, _words in LIFETIMES) <= MAX_DAYS
