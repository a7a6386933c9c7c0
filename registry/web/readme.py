"""READMEs as safe HTML: markdown without raw HTML, then an allow-list; no image, no request to anywhere else.

Three fences, each enough by itself: raw HTML is reduced to its text before it is rendered, nh3 keeps only the tags
and attributes named here, and the pages' content security policy runs no script that is not ours.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import nh3
from django.core.cache import cache
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token
from redis.exceptions import RedisError

from registry.web import restructured
from registry.web.highlighting import highlight

VERSION = "3"
LONGEST = 256 * 1024
KEPT_SECONDS = 7 * 24 * 3600
ID_PREFIX = "readme-"
TAGS = {
    "a", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
HEADINGS = {f"h{level}": {"id"} for level in range(2, 7)}
ATTRIBUTES = {"a": {"href"}, "code": {"class"}, "span": {"class"}, "pre": {"tabindex"}, "ol": {"start"}, **HEADINGS}
SCHEMES = {"http", "https", "mailto"}
OWN_CLASS = re.compile(r"[a-z][a-z0-9]{0,3}(-[a-z]+)?|image|language-[a-z]+")


def render(text: str, form: str) -> SafeString:
    """The README as HTML that is safe to put into a page; `form` is markdown, rst or text. Kept by content."""
    key = f"readme:{VERSION}:{hashlib.sha256(f'{form}:{text}'.encode('utf-8', 'replace')).hexdigest()}"
    try:
        html = cache.get(key)
        if html is None:
            html = _render(text, form)
            cache.set(key, html, KEPT_SECONDS)
    except (RedisError, OSError):
        html = _render(text, form)
    return mark_safe(html)  # noqa: S308  # cleaned by nh3, whatever went in


def _render(text: str, form: str) -> str:
    shown = text[:LONGEST].replace("\x00", "")
    if form == "rst":
        shown, form = restructured.to_markdown(shown), "markdown"
    body = _markdown().render(shown) if form == "markdown" else f'<pre tabindex="0">{escape(shown)}</pre>'
    body = body.replace("<pre><code", '<pre tabindex="0"><code')
    if len(text) > LONGEST:
        body += f"<p>{escape(_('This README is longer; the file in the package holds all of it.'))}</p>"
    return clean(body)


def clean(html: str) -> str:
    """Only the tags, attributes, schemes and classes named above; links neither vouch nor lead back here."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes=SCHEMES,
        link_rel="nofollow noopener noreferrer ugc",
        strip_comments=True,
    )


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if value.startswith((f"#{ID_PREFIX}", "http://", "https://", "mailto:")) else None
    if name == "id":
        return value if value.startswith(ID_PREFIX) else None
    if name == "class":
        return value if OWN_CLASS.fullmatch(value) else None
    return value


def _markdown() -> MarkdownIt:
    """A parser as on the common code hosts; HTML is parsed only so that it can be dropped."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": True, "highlight": highlight})
    parser.add_render_rule("html_block", _text_of_html)
    parser.add_render_rule("html_inline", _text_of_html)
    parser.add_render_rule("image", _image_as_link)
    parser.core.ruler.push("readme", _adapt)
    return parser


def _text_of_html(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """What raw HTML says, without being HTML any more."""
    text = nh3.clean(tokens[index].content, tags=set(), clean_content_tags={"script", "style"}).strip()
    if not text:
        return ""
    return f"<p>{text}</p>" if tokens[index].type == "html_block" else text


def _image_as_link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Images are not loaded, since that would tell a stranger who reads here; their text stays, linked if it can."""
    token = tokens[index]
    text = escape(renderer.renderInlineAsText(token.children or [], options, env).strip() or _("image"))
    source = str(token.attrs.get("src", ""))
    if token.meta.get("inside_link") or not source.startswith(("http://", "https://")):
        return f'<span class="image">{text}</span>'
    return f'<a href="{escape(source)}">{text}</a>'


def _adapt(state: Any) -> None:
    """Headings below the page's own first, no level left out, with ids; in-page links follow; relative ones go."""
    seen: dict[str, int] = {}
    above: list[str] = []
    for position, token in enumerate(state.tokens):
        if token.type == "heading_open":
            while above and above[-1] >= token.tag:
                above.pop()
            above.append(token.tag)
            token.tag = f"h{min(len(above) + 1, 6)}"
            state.tokens[position + 2].tag = token.tag
            token.attrSet("id", ID_PREFIX + _slug(state.tokens[position + 1].content, seen))
        if token.type == "inline":
            _adapt_links(token.children or [])


def _adapt_links(children: list[Token]) -> None:
    depth = 0
    for child in children:
        if child.type == "link_open":
            depth += 1
            href = str(child.attrGet("href") or "")
            child.attrSet("href", f"#{ID_PREFIX}{href[1:].lower()}" if href.startswith("#") else href)
        elif child.type == "link_close":
            depth -= 1
        elif child.type == "image" and depth:
            child.meta["inside_link"] = True


def _slug(heading: str, seen: dict[str, int]) -> str:
    """The anchor that code hosts would give the heading."""
    slug = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower()))[:80] or "section"
    seen[slug] = seen.get(slug, -1) + 1
    return f"{slug}-{seen[slug]}" if seen[slug] else slug
