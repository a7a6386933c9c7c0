"""The panel of clashes: which licenses of what a version brings along do not fit its own. The same on every page."""

from typing import Any, cast

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.middleware import AskedRequest
from licensing import clashing, reference
from licensing.clashing import Clashes, Line
from registry.errors import Refused
from registry.models import Release

DEPTH = 20
SHOWN = 50
KINDS = (
    ("no", "failed", _("clash")),
    ("check", "warned", _("needs a look")),
    ("unknown", "unknown", _("not known")),
)


def show(request: HttpRequest, release: Release) -> SafeString:
    """The panel as a part of a page: two queries a level of the tree, twenty levels at most."""
    reference.catch_up()
    context: dict[str, Any] = {"release": release, "package": release.package, "shown": SHOWN}
    try:
        found = clashing.over_tree(release, cast(AskedRequest, request).actor, DEPTH)
    except Refused as refusal:
        context["refusal"] = refusal.message
    else:
        context |= {"clashes": found, "groups": _groups(found)}
    return render_to_string("licensing/clashes.html", context, request)


def _groups(found: Clashes) -> list[tuple[str, Any, tuple[Line, ...]]]:
    """(chip, word, lines) of each answer that somebody should see, the gravest first."""
    return [(chip, label, lines) for word, chip, label in KINDS if (lines := found.saying(word))]
