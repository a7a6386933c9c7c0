"""The form that trusts a pipeline: one for all houses, each of which has its own names for the same things."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Project
from registry import ecosystems
from registry.models import Package
from registry.trusting import managing
from registry.trusting.providers import PROVIDERS, Provider

ECOSYSTEMS = ("npm", "pypi")
OF_CIRCLE = ("organization", "circle_project", "definition")  # in the order of what CircleCI requires
LONGEST = 255


def _text(label: Any, help_text: Any = "", **more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", **more.pop("attrs", {})})
    return forms.CharField(label=label, help_text=help_text, max_length=LONGEST, widget=widget, **more)


class PipelineForm(forms.Form):
    """A package of the project, the pipeline, and what it may do."""

    package = _text(
        gettext_lazy("Package"),
        gettext_lazy("“npm:@acme/core” or “pypi:acme-utils”. It must be here already."),
        attrs={"list": "packages"},
    )
    house = forms.ChoiceField(
        label=gettext_lazy("Runs at"), choices=[(one.slug, one.label) for one in PROVIDERS.values()]
    )
    repository = _text(
        gettext_lazy("Repository or project"), gettext_lazy("“acme/core”; of CircleCI “github.com/acme/core”.")
    )
    file = _text(
        gettext_lazy("File of the pipeline"),
        gettext_lazy("GitHub and GitLab need it: “release.yml”, “.gitlab-ci.yml”."),
        required=False,
    )
    environment = _text(gettext_lazy("Environment"), gettext_lazy("Only runs of this one."), required=False)
    ref = _text(
        gettext_lazy("Branch or tag"),
        gettext_lazy("A pattern: “refs/tags/v*”; at GitLab “v*”, of tags alone."),
        required=False,
    )
    organization = _text(gettext_lazy("Organization ID"), required=False)
    circle_project = _text(gettext_lazy("Project ID"), required=False)
    definition = _text(gettext_lazy("Pipeline definition ID"), required=False)
    context = _text(gettext_lazy("Context ID"), gettext_lazy("Only jobs with this one."), required=False)
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("It may"),
        choices=[
            (managing.PUBLISH, gettext_lazy("publish")),
            (managing.STAGE, gettext_lazy("stage, for a maintainer to approve (npm)")),
        ],
        initial=[managing.PUBLISH],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one.")},
    )

    def __init__(self, project: Project, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.project = project

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """What most houses ask for."""
        return [self[name] for name in ("house", "repository", "file", "environment", "ref")]

    @property
    def circle_fields(self) -> list[forms.BoundField]:
        """What only CircleCI asks for."""
        return [self[name] for name in (*OF_CIRCLE, "context")]

    def clean_package(self) -> Package:
        """The package of this project that is meant."""
        ecosystem, _colon, name = self.cleaned_data["package"].partition(":")
        found = None
        if ecosystem in ECOSYSTEMS and name:
            normalized = ecosystems.get(ecosystem).normalize_name(name)
            found = Package.objects.filter(project=self.project, ecosystem=ecosystem, normalized=normalized).first()
        if found is None:
            raise forms.ValidationError(_("The project has no such package. Write npm: or pypi: before its name."))
        return found

    def clean(self) -> dict[str, Any]:
        """Say what the house needs, and refuse what it does not tell: a wish must never be passed over."""
        given: dict[str, Any] = super().clean() or {}
        house = PROVIDERS.get(given.get("house", ""))
        if house is not None:
            for name, is_needed, is_known in self._of(house):
                if is_needed and not given.get(name):
                    self.add_error(name, _("%(house)s needs this.") % {"house": house.label})
                elif given.get(name) and not is_known:
                    self.add_error(name, _("%(house)s does not tell this. Leave it empty.") % {"house": house.label})
        return given

    def wanted(self) -> dict[str, Any]:
        """The trust, as npm would describe it."""
        given = self.cleaned_data
        house = PROVIDERS[given["house"]]
        ref = next(one for one in house.wishes if one.endswith("ref"))
        claims = {house.subject: given["repository"], "environment": given["environment"], ref: given["ref"]}
        claims |= {claim: given[name] for claim, name in zip(house.required, OF_CIRCLE, strict=False)}
        claims |= {claim: [given["context"]] for claim in house.lists if given["context"]}
        claims |= {house.file: {"file": given["file"]}} if house.file else {}
        if given["ref"] and house.slug == "gitlab":
            claims["ref_type"] = "tag"
        kept = {claim: value for claim, value in claims.items() if value}
        return {"type": house.slug, "claims": kept, "permissions": given["permissions"]}

    @staticmethod
    def _of(house: Provider) -> list[tuple[str, bool, bool]]:
        """Each field that not all houses know: whether it is needed, and whether it is known at all."""
        file, own = bool(house.file), bool(house.required)
        known = [("file", file, file), ("environment", False, "environment" in house.wishes)]
        return [*known, *((name, own, own) for name in OF_CIRCLE), ("context", False, bool(house.lists))]
