"""Words for templates: chips, icons, times, digests, copy buttons and names that may wrap."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.loader import get_template
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import documents
from registry.models import Package, Release
from registry.models.packages import CATEGORIES, Ecosystem

register = template.Library()

# kind -> (icon, word); the same chip everywhere, and never by colour alone.
CHIPS = {
    "approved": ("check", gettext_lazy("approved")),
    "pending": ("clock", gettext_lazy("pending")),
    "rejected": ("cross", gettext_lazy("rejected")),
    "quarantined": ("shield", gettext_lazy("quarantined")),
    "unlisted": ("eye-off", gettext_lazy("unlisted")),
    "removed": ("eye-off", gettext_lazy("removed")),
    "restored": ("history", gettext_lazy("restored")),
    "passed": ("check", gettext_lazy("passed")),
    "warned": ("warning", gettext_lazy("warned")),
    "failed": ("cross", gettext_lazy("failed")),
    "errored": ("warning", gettext_lazy("errored")),
    "skipped": ("minus", gettext_lazy("skipped")),
    "running": ("play", gettext_lazy("running")),
    "waiting": ("clock", gettext_lazy("waiting")),
    "allow": ("check", gettext_lazy("yes")),
    "hold": ("clock", gettext_lazy("not yet")),
    "deny": ("cross", gettext_lazy("no")),
    "critical": ("warning", gettext_lazy("critical")),
    "high": ("warning", gettext_lazy("high")),
    "medium": ("warning", gettext_lazy("medium")),
    "low": ("info", gettext_lazy("low")),
    "unknown": ("question", gettext_lazy("unknown")),
    "private": ("lock", gettext_lazy("private")),
    "deprecated": ("warning", gettext_lazy("deprecated")),
    "override": ("warning", gettext_lazy("override")),
    "signed": ("key", gettext_lazy("signed")),
    "healthy": ("check", gettext_lazy("healthy")),
    "degraded": ("warning", gettext_lazy("degraded")),
    "down": ("cross", gettext_lazy("down")),
}
COLOURS = {"waiting": "unknown", "override": "warned", "deprecated": "warned", "signed": "passed", "restored": "low"}
COLOURS |= {"healthy": "passed", "degraded": "warned", "down": "failed"}
BREAKS = re.compile(r"([@/\-._])")
SLASHES = re.compile(r"(?<=[^:/.])/(?!/)")
RECENT = timedelta(days=30)


@cache
def icon_svg(name: str) -> SafeString:
    """The markup of one of our own icons."""
    return mark_safe(get_template(f"components/icons/{name}.html").render())  # noqa: S308  # our own file


@register.simple_tag
def icon(name: str) -> SafeString:
    """An inline icon, decorative: the word beside it says the same."""
    return icon_svg(name)


@register.simple_tag
def chip(kind: str, text: object = "") -> SafeString:
    """A status or severity as icon + word + colour; `text` replaces the word."""
    symbol, word = CHIPS.get(kind, ("info", kind))
    return format_html(
        '<span class="chip chip--{}">{}{}</span>', COLOURS.get(kind, kind), icon_svg(symbol), text or word
    )


@register.simple_tag
def status_chip(release: Release) -> SafeString:
    """The chip of a release: its retirement, if any, before its status."""
    if release.is_purged:
        return chip("removed")
    return chip("unlisted") if release.is_unlisted else chip(release.status)


@register.filter
def chip_kind(status: str) -> str:
    """The chip of a check's status: those that have not begun are waiting, not pending a decision."""
    return "waiting" if status == "pending" else status


@register.simple_tag
def ago(when: datetime | None) -> SafeString | str:
    """A time as people say it, exact in UTC on hover and for machines."""
    if when is None:
        return "–"
    recent = timezone.now() - when < RECENT
    said = naturaltime(when) if recent else formats.date_format(when, "DATE_FORMAT")
    exact = when.astimezone(timezone.get_fixed_timezone(0))
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.strftime("%Y-%m-%dT%H:%M:%SZ"),
        exact.strftime("%Y-%m-%d %H:%M:%S"),
        said,
    )


@register.filter
def breakable(text: str) -> SafeString:
    """A long name that may wrap after @, /, -, . and _."""
    return mark_safe(BREAKS.sub(r"\1<wbr>", conditional_escape(text)))  # noqa: S308  # escaped just here


@register.filter
def at_slashes(text: str) -> SafeString:
    """A command line that may wrap in the middle of an address, but at its slashes only."""
    return mark_safe(SLASHES.sub("/<wbr>", conditional_escape(text)))  # noqa: S308  # escaped just here


@register.simple_tag
def copy_button(text: str, what: str) -> SafeString:
    """A button that copies the text; it shows only where scripts run."""
    return format_html(
        '<button type="button" class="copy button button--quiet button--icon button--small" data-copy="{}">'
        '<span class="when-idle">{}</span><span class="when-copied">{}</span>'
        '<span class="visually-hidden">{}</span></button>',
        text,
        icon_svg("copy"),
        icon_svg("check"),
        _("Copy %(what)s") % {"what": what},
    )


@register.simple_tag
def digest(value: str, what: str = "SHA-256") -> SafeString | str:
    """A digest, shortened in the middle, with a button that copies all of it."""
    if not value:
        return "–"
    head, _colon, tail = value.rpartition(":")
    short = value if len(value) <= 20 else f"{head}{_colon}{tail[:8]}…{tail[-6:]}"
    return format_html(
        '<span class="digest"><span title="{}">{}</span>{}</span>', value, short, copy_button(value, what)
    )


@register.simple_tag(takes_context=True)
def panel(context: Mapping[str, Any], name: str, release: Release) -> SafeString | str:
    """What an app above shows of the release under that name (REGISTRY_PANELS); nothing where none does."""
    path = settings.REGISTRY_PANELS.get(name)
    if path is None:
        return ""
    shown: SafeString = import_string(path)(context["request"], release)
    return shown


@register.simple_tag
def ecosystem_mark(slug: str) -> SafeString:
    """The ecosystem's mark and name."""
    label = Ecosystem(slug).label if slug in Ecosystem.values else slug
    return format_html(
        '<span class="mark">{}{}</span>', icon_svg(f"ecosystem-{slug}" if slug in Ecosystem.values else "box"), label
    )


@register.filter
def category_label(code: str) -> str:
    """The category in words."""
    return str(dict(CATEGORIES).get(code, code))


@register.filter
def ecosystem_label(slug: str) -> str:
    """The ecosystem in words."""
    return str(Ecosystem(slug).label) if slug in Ecosystem.values else slug


@register.filter
def web_link(url: str) -> str:
    """The address if a browser may follow it (http or https), else nothing. `git+https://…` loses its prefix."""
    url = url.strip().removeprefix("git+")
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


@register.filter
def without_scheme(url: str) -> str:
    """An address as people say it."""
    return re.sub(r"^(git\+)?https?://(www\.)?", "", url.strip()).removesuffix("/").removesuffix(".git")


@register.simple_tag
def package_path(package: Package) -> str:
    """The page of a package."""
    return reverse("package", kwargs={"ecosystem": package.ecosystem, "name": package.name})


@register.simple_tag
def version_path(package: Package, version: str) -> str:
    """The page of one of its versions: the decision record."""
    return reverse("version", kwargs={"ecosystem": package.ecosystem, "name": package.name, "version": version})


@register.simple_tag
def file_path(package: Package, version: str, filename: str) -> str:
    """Where a file of a version is fetched: the API, which asks the gates."""
    return _in_ecosystem(package, f"{documents.version_url(package, version)}/files/{quote(filename, safe='+')}")


@register.simple_tag
def sbom_path(package: Package, version: str) -> str:
    """Where the bill of materials of a version is fetched."""
    return _in_ecosystem(package, f"{documents.version_url(package, version)}/sbom")


@register.simple_tag
def signature_path(package: Package, version: str) -> str:
    """Where the armored signature of a version is fetched."""
    return _in_ecosystem(package, f"{documents.version_url(package, version)}/signature")


def _in_ecosystem(package: Package, path: str) -> str:
    """The path, saying which package of the name is meant: other ecosystems may hold it as well."""
    return f"{path}?ecosystem={package.ecosystem}"


@register.filter
def item(mapping: dict[Any, Any], key: object) -> Any:
    """The value under a key that a variable holds."""
    return mapping.get(key)
