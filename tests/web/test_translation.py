"""German beside English: the catalogue is whole, agrees with what is compiled, and reaches who asks for it."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import gettext, override
from django.utils.translation.template import templatize

from registry.api.schema import description
from registry.models import Release
from registry.templatetags.catalogue import category_label
from tests import builders

FOLDER = settings.BASE_DIR / "locale" / "de" / "LC_MESSAGES"
SOURCES = ("accounts", "config", "licensing", "registry", "scanning")
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
IN_TEMPLATES = re.compile(r"""(?<!\w)(?:_|n?gettext)\(u?(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
PLACEHOLDER = re.compile(r"%%|%\(\w+\)[sd]|%[sd]|</?\w+>")
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
ENTRY = dict[str, str]


# --- the catalogue -------------------------------------------------------------------------------------------------
def entries() -> list[ENTRY]:
    """What the .po says: for each entry its keywords (msgctxt, msgid, msgstr, msgstr[0] …) and their texts."""
    found: list[ENTRY] = []
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n"):
        entry: ENTRY = {"flags": " ".join(re.findall(r"^#,(.*)$", block, re.MULTILINE))}
        for keyword, literals in re.findall(r'^(msg[\w\[\]]+) ((?:".*"\n?)+)', block, re.MULTILINE):
            entry[keyword] = "".join(ast.literal_eval(line) for line in literals.splitlines())
        found.append(entry)
    return found


@pytest.fixture(scope="module")
def catalogue() -> list[ENTRY]:
    """Every entry but the header."""
    return [entry for entry in entries() if entry["msgid"]]


def pairs(entry: ENTRY) -> Iterator[tuple[str, str]]:
    """Each translation of an entry, with the original that it stands for."""
    if "msgid_plural" not in entry:
        yield entry["msgid"], entry["msgstr"]
        return
    yield entry["msgid"], entry["msgstr[0]"]
    yield entry["msgid_plural"], entry["msgstr[1]"]


def test_every_entry_is_translated_and_none_is_a_guess(catalogue):
    assert len(catalogue) > 500
    assert [entry["msgid"] for entry in catalogue for _original, said in pairs(entry) if not said.strip()] == []
    assert [entry["msgid"] for entry in catalogue if "fuzzy" in entry["flags"]] == []


def test_translations_fill_in_what_the_original_fills_in(catalogue):
    wrong = [
        (original, said)
        for entry in catalogue
        for original, said in pairs(entry)
        if sorted(PLACEHOLDER.findall(original)) != sorted(PLACEHOLDER.findall(said))
    ]
    assert wrong == []


def test_sentences_end_as_the_original_ends(catalogue):
    ends = ".:"
    wrong = [
        (original, said)
        for entry in catalogue
        for original, said in pairs(entry)
        if (original[-1] in ends or said[-1] in ends) and original[-1] != said[-1]
    ]
    assert wrong == []


def test_the_compiled_catalogue_says_what_the_text_says(catalogue):
    with (FOLDER / "django.mo").open("rb") as compiled:
        given = GNUTranslations(compiled)._catalog  # it has no other way to list all
    expected: dict[str | tuple[str, int], str] = {}
    for entry in catalogue:
        if "msgid_plural" in entry:
            expected |= {(entry["msgid"], number): entry[f"msgstr[{number}]"] for number in (0, 1)}
        else:
            context = entry["msgctxt"] + "\x04" if "msgctxt" in entry else ""
            expected[context + entry["msgid"]] = entry["msgstr"]
    assert {key: said for key, said in given.items() if key} == expected


def test_the_catalogue_names_no_machine_and_no_person():
    header = next(entry["msgstr"] for entry in entries() if not entry["msgid"])
    assert "Plural-Forms: nplurals=2; plural=(n != 1);" in header
    assert not re.search(r"@|Last-Translator|Generator", header)


# --- what is marked ------------------------------------------------------------------------------------------------
def marked_in_python(path: Path) -> Iterator[str]:
    """The texts that the code hands to gettext."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_mark = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS
        if is_mark and node.args and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def marked_in_template(path: Path) -> Iterator[str]:
    """The texts of `translate` and `blocktranslate`, as Django hands them to its extraction."""
    code = templatize(path.read_text(encoding="utf-8"), origin=path.name)
    for match in IN_TEMPLATES.finditer(code):
        yield ast.literal_eval(match["text"])


def test_german_has_what_is_marked(catalogue):
    """A late sentence shows in English until the next extraction; many would mean that German was forgotten."""
    base = settings.BASE_DIR
    marked = {text for path in (base / "templates").rglob("*.html") for text in marked_in_template(path)}
    for folder in SOURCES:
        marked |= {text for path in (base / folder).rglob("*.py") for text in marked_in_python(path)}
    known = {entry["msgid"] for entry in catalogue}
    assert len(marked) > 500
    assert len(marked - known) <= len(marked) // 50, sorted(marked - known)


def test_code_hands_texts_to_gettext_under_names_that_extraction_knows():
    alias = re.compile(r"^from django\.utils\.translation import .*\bas (?!_$)\w+", re.MULTILINE)
    base = settings.BASE_DIR
    assert [
        path for folder in SOURCES for path in (base / folder).rglob("*.py") if alias.search(path.read_text("utf-8"))
    ] == []


# --- the pages -----------------------------------------------------------------------------------------------------
@pytest.fixture
def left_pad(alice, tmp_path):
    """left-pad 1.0.0, published, signed and approved."""
    return builders.published(alice, builders.key_pair(tmp_path), builders.npm_tarball(files={"README.md": "# Pad"}))


def page(client, path, headers=GERMAN):
    answer = client.get(path, headers={"Accept": "text/html", **headers})
    assert answer.status_code == 200, answer.content[:500]
    return answer


def test_the_front_page_speaks_the_browsers_language(client, left_pad):
    german = page(client, "/")
    assert "Pakete, hinter denen Ihre Firma stehen kann" in german.content.decode()
    assert '<html lang="de"' in german.content.decode()
    assert "Accept-Language" in german["Vary"]
    english = page(client, "/", {"Accept-Language": "fr"}).content.decode()
    assert '<html lang="en"' in english
    assert "Packages your company can stand behind" in english


def test_a_packages_page_speaks_german(client, left_pad):
    html = page(client, "/packages/npm/left-pad").content.decode()
    assert "Sie dürfen diese Version benutzen." in html
    assert "freigegeben" in html
    assert "Abhängigkeiten" in html
    assert "Known flaws" not in html


@pytest.mark.parametrize("path", ["/packages", "/submit", "/packages/npm/left-pad?tab=files", "/sign-in"])
def test_every_page_for_strangers_renders_in_german(client, left_pad, path):
    html = page(client, path).content.decode()
    assert '<html lang="de"' in html
    assert "Zum Inhalt springen" in html


def test_the_queue_and_the_review_speak_german(client, root, left_pad):
    client.force_login(root)
    queue = page(client, "/admin/").content.decode()
    assert "Nichts wartet auf Sie" in queue
    review = page(client, f"/admin/review/{left_pad.pk}/").content.decode()
    assert "Die Entscheidung" in review
    assert "In Quarantäne nehmen" in review


def test_an_address_that_leads_nowhere_is_explained_in_german(client, db):
    answer = client.get("/nothing-here", headers={"Accept": "text/html", **GERMAN})
    assert answer.status_code == 404
    assert "Prüfen Sie die Adresse oder melden Sie sich an." in answer.content.decode()


def test_programs_are_answered_in_english(client, left_pad):
    answer = client.get("/api/v1/packages/npm/nothing-here", headers=GERMAN)
    plain = client.get("/api/v1/packages/npm/nothing-here")
    assert answer.status_code == 404
    assert answer.json() == plain.json()


def test_percent_signs_and_plurals_come_through():
    with override("de"):
        assert gettext("%%n ticked") == "%%n ausgewählt"
        assert gettext("package") == "Paket"


def test_choices_and_categories_follow_the_language():
    with override("de"):
        assert str(Release.Status.QUARANTINED.label) == "In Quarantäne"
        assert category_label("DEVTOOLS") == "Entwicklerwerkzeuge"
    assert category_label("DEVTOOLS") == "Developer tools"


def test_the_api_is_described_in_english_whoever_asks_first():
    description.cache_clear()
    with override("de"):
        words = str(description())
    description.cache_clear()
    assert "Entwicklerwerkzeuge" not in words
    assert "Developer tools" in words
