"""Check my lockfile: paste or drop one, and see what is vulnerable. Nothing is stored."""

from typing import Any

from django import forms
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from accounts import rate_limiting
from registry.advising import LicenseAdvice
from registry.errors import RegistryError
from registry.web.pages import Page
from scanning import consulting, lockfiles
from scanning.consulting import Answer, Row
from scanning.lockfiles.base import LONGEST, LONGEST_LICENSE

SHOWN = 1_000
FIELDS = ("format", "license")  # that a refusal may name
# Room for the file and the words of the form around it.
LONGEST_BODY = LONGEST + 64 * 1024
TOO_LONG = gettext_lazy("That is more than a lockfile may be: 8 MiB as a file, 2 MiB as pasted text.")


class LockfileForm(forms.Form):
    """A file or a text, and its format where the name and the text do not tell."""

    file = forms.FileField(
        label=gettext_lazy("The file"), required=False, help_text=gettext_lazy("Choose it, or drop it here.")
    )
    text = forms.CharField(
        label=gettext_lazy("Or its text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "code"}),
    )
    license = forms.CharField(
        label=gettext_lazy("License of your work"),
        required=False,
        max_length=LONGEST_LICENSE,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text=gettext_lazy(
            "As in MIT OR Apache-2.0: shows which packages do not fit it. Without it, what the lockfile names counts."
        ),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        required=False,
        choices=[("", gettext_lazy("Tell by its name and text")), *((name, name) for name in lockfiles.FORMATS)],
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one of file and text, as text."""
        cleaned = super().clean() or {}
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if bool(file) == bool(text.strip()):
            raise forms.ValidationError(_("Choose a file or paste its text: one of the two."))
        if file:
            cleaned["text"], cleaned["format"] = _decoded(file), cleaned.get("format") or _named(file.name)
        return cleaned


def _decoded(file: Any) -> str:
    if file.size > LONGEST:
        raise forms.ValidationError(TOO_LONG)
    try:
        return str(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise forms.ValidationError(_("The file is not UTF-8 text.")) from error


def _named(filename: str) -> str:
    """The format that goes by the file's name, or ""."""
    return lockfiles.NAMES.get(filename.rpartition("/")[2], "")


@method_decorator(csrf_exempt, name="dispatch")  # checked in `post`, once the length of the body is known
class AuditPage(Page):
    """`/audit`: for everybody; a question counts like one to the API."""

    template = "catalogue/audit.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return self.show(form=LockfileForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """The table, below the form."""
        count = rate_limiting.count(self.actor)
        if count.is_exceeded:
            said = _("That was more than %(limit)s requests. Wait %(seconds)s seconds, then ask again.")
            words = {"limit": count.limit, "seconds": count.seconds_left}
            refusal = self.show(429, form=LockfileForm(), refusal=said % words)
            refusal["Retry-After"] = str(count.seconds_left)
            return refusal
        length = str(request.META.get("CONTENT_LENGTH") or "")
        if length.isdecimal() and int(length[:19]) > LONGEST_BODY:
            return self.show(413, form=LockfileForm(), refusal=TOO_LONG)
        try:
            return csrf_protect(self._answer)(request)
        except RequestDataTooBig:
            return self.show(413, form=LockfileForm(), refusal=TOO_LONG)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        form = LockfileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(400, form=form)
        try:
            read = lockfiles.read(form.cleaned_data["text"], form.cleaned_data["format"])
            answer = consulting.consult(read.pins, self.actor)
            advice = consulting.compare(form.cleaned_data["license"], read.license, answer, self.actor)
        except RegistryError as refusal:
            form.add_error(next((name for name in refusal.details if name in FIELDS), None), refusal.message)
            return self.show(400, form=form)
        again = LockfileForm(initial={"license": form.cleaned_data["license"]})
        return self.show(form=again, read=read, answer=answer, **_sections(answer), **_compared(advice))


def _sections(answer: Answer) -> dict[str, Any]:
    """What needs a look, in full as far as a page may hold it; and what is clean."""
    rows = answer.gravest_first
    told: list[Row] = [row for row in rows if row.status != consulting.CLEAN]
    clean = [row for row in rows if row.status == consulting.CLEAN]
    return {
        "told": told[:SHOWN],
        "told_more": max(0, len(told) - SHOWN),
        "clean": clean[:SHOWN],
        "clean_more": max(0, len(clean) - SHOWN),
    }


def _compared(advice: LicenseAdvice | None) -> dict[str, Any]:
    clashes = advice.clashes if advice else ()
    return {"advice": advice, "clashes": clashes[:SHOWN], "clashes_more": max(0, len(clashes) - SHOWN)}
