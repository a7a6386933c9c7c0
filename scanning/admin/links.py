"""Where things that scanning shows stand on pages."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registry.models import Release


def web_link(url: str, text: str) -> SafeString | str:
    """A link to the web, or the text alone where the address is none."""
    if not url.startswith(("https://", "http://")):
        return text
    return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', url, text)


def review(release: Release) -> str:
    """The page where a release is reviewed."""
    return reverse("admin:review", args=[release.pk])
