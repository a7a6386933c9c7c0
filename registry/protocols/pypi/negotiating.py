"""Which form of the index a client wants, from its Accept header (PEP 691)."""

from typing import NamedTuple

from registry.ecosystems.pypi_index import HTML, HTML_TYPE, JSON, JSON_TYPE

PLAIN_HTML = "text/html"


class Form(NamedTuple):
    """One form of the index: the kind of the stored document, and the type that it is sent as."""

    kind: str
    content_type: str


OFFERED = {
    PLAIN_HTML: Form(HTML, PLAIN_HTML),  # first: what who has no wish gets
    JSON_TYPE: Form(JSON, JSON_TYPE),
    HTML_TYPE: Form(HTML, HTML_TYPE),
    JSON_TYPE.replace("v1", "latest"): Form(JSON, JSON_TYPE),
    HTML_TYPE.replace("v1", "latest"): Form(HTML, HTML_TYPE),
}


def chosen(accept: str) -> Form | None:
    """The form that the header likes best (RFC 9110 section 12.5.1); None where it likes none that there is."""
    wishes = _wishes(accept[:2000])
    if not wishes:
        return OFFERED[PLAIN_HTML]
    best, liked = None, 0.0
    for media_type, form in OFFERED.items():
        quality = _quality(media_type, wishes)
        if quality > liked:
            best, liked = form, quality
    return best


def _quality(media_type: str, wishes: dict[str, float]) -> float:
    """What the most specific of the wishes that take the type in says of it."""
    group = media_type.partition("/")[0]
    return next((wishes[one] for one in (media_type, f"{group}/*", "*/*") if one in wishes), 0.0)


def _wishes(accept: str) -> dict[str, float]:
    wishes = {}
    for part in accept.split(","):
        media_type, *parameters = (one.strip().lower() for one in part.split(";"))
        if media_type:
            wishes[media_type] = _weight(parameters)
    return wishes


def _weight(parameters: list[str]) -> float:
    text = next((one[2:] for one in parameters if one.startswith("q=")), "1")
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
