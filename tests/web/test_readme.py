"""READMEs: what stays of markdown, and that nothing stays of attacks."""

import re

import pytest

from registry.web import readme
from tests.web.readme_payloads import EVERYTHING

ALLOWED_TAG = re.compile(r"</?([a-z][a-z0-9]*)")
FORBIDDEN = re.compile(r"<[^>]*\s(on\w+|style|src|srcset|formaction|action|name|data-[\w-]+)\s*=", re.IGNORECASE)


@pytest.mark.parametrize(("text", "form"), EVERYTHING)
def test_an_attack_leaves_only_harmless_markup(text, form):
    html = readme.render(text, form)
    assert set(ALLOWED_TAG.findall(html)) <= readme.TAGS
    assert not FORBIDDEN.search(html)
    for href in re.findall(r'href="([^"]*)"', html):
        assert href.startswith(("https://", "http://", "mailto:", "#readme-"))
    for identity in re.findall(r'\sid="([^"]*)"', html):
        assert identity.startswith("readme-")


def test_headings_step_down_and_anchors_inside_still_lead_there():
    html = readme.render("# Title\n\n[usage](#usage)\n\n## Usage\n\n## Usage\n", "markdown")
    assert '<h2 id="readme-title">Title</h2>' in html
    assert 'href="#readme-usage"' in html
    assert '<h3 id="readme-usage">' in html
    assert '<h3 id="readme-usage-1">' in html


def test_no_heading_level_is_left_out_whatever_the_readme_skips():
    html = readme.render("### First\n\n###### Deep\n\n## Up\n\n# Top\n", "markdown")
    assert re.findall(r"<(h\d)", html) == ["h2", "h3", "h2", "h2"]


def test_links_neither_vouch_nor_lead_back():
    html = readme.render("[site](https://example.org)", "markdown")
    assert 'rel="nofollow noopener noreferrer ugc"' in html


def test_a_remote_image_becomes_a_link_to_it_and_is_never_loaded():
    html = readme.render("![the logo](https://example.org/logo.png)", "markdown")
    assert '<a href="https://example.org/logo.png"' in html
    assert "the logo</a>" in html
    assert "<img" not in html


def test_a_relative_link_keeps_its_text_but_leads_nowhere():
    html = readme.render("[the docs](docs/usage.md)", "markdown")
    assert "the docs" in html
    assert "href" not in html


def test_raw_html_is_reduced_to_what_it_says():
    html = readme.render('<p align="center">Hello <b>you</b></p>\n\nand <i>me</i>', "markdown")
    assert "Hello you" in html
    assert "and me" in html
    assert "align" not in html


def test_code_is_coloured_by_classes_alone():
    html = readme.render("```js\nconst a = 1;\n```", "markdown")
    assert '<span class="kd">const</span>' in html
    assert "style=" not in html


def test_tables_and_strikethrough_of_the_common_code_hosts_work():
    html = readme.render("| a | b |\n|---|---|\n| 1 | ~~2~~ |", "markdown")
    assert "<table>" in html
    assert "<s>2</s>" in html


def test_restructured_text_is_read_as_headings_links_and_code():
    text = (
        "Demo\n====\n\nInstall with `pip <https://example.org/pip>`_::\n\n    pip install demo\n\n"
        "Use\n---\n\n* one\n* ``two``\n\n.. code-block:: python\n\n    import demo\n\n.. a comment\n"
    )
    html = readme.render(text, "rst")
    assert "Demo</h2>" in html
    assert "Use</h3>" in html
    assert '<a href="https://example.org/pip"' in html
    assert "pip install demo" in html
    assert "<li><code>two</code></li>" in html or "<code>two</code>" in html
    assert 'class="language-python"' in html
    assert "a comment" not in html


def test_plain_text_stays_as_it_is():
    assert readme.render("a < b\n  c", "text") == '<pre tabindex="0">a &lt; b\n  c</pre>'


def test_a_very_long_readme_is_cut_with_a_word():
    html = readme.render("word " * 100_000, "markdown")
    assert len(html) < 300_000
    assert "the file in the package holds all of it" in html


@pytest.mark.parametrize("piece", ["[", "![", "*a ", "`a <", "|", "a_ ", "=\n", "::\n", "> ", "<a ", "- "])
@pytest.mark.parametrize("form", ["markdown", "rst"])
@pytest.mark.timeout(30)
def test_no_readme_takes_long(piece, form):
    assert isinstance(readme.render(piece * (100_000 // len(piece)), form), str)
