"""What the documents say is so: every setting is in the README, every picture and path that they name exists."""

import re

import pytest

from tests.architecture.sources import ROOT, name_of, text_of, tracked

pytestmark = pytest.mark.once
DOCUMENTS = ("README.md", "ARCHITECTURE.md")


def test_every_setting_that_is_read_from_the_environment_is_in_the_readme():
    read = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text()))
    told = set(re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text()))
    assert read - told == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_links_to_exists(document: str):
    text = (ROOT / document).read_text()
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)\)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_pictures_are_small_enough_for_a_readme():
    pictures = [path for path in tracked() if path.suffix in (".png", ".jpg", ".webp")]
    assert [name_of(path) for path in pictures if path.stat().st_size > 300 * 1024 and "docs" in path.parts] == []


def test_the_files_that_the_architecture_names_exist():
    text = text_of(ROOT / "ARCHITECTURE.md") or ""
    named = set(re.findall(r"`((?:config|accounts|registry|licensing|scanning|tests|deploy)/[\w./]*\w/?)`", text))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_settings_of_a_composed_portal_come_from_its_env_file_which_stays_out_of_the_image():
    portal = (ROOT / "compose.yml").read_text().partition("\nservices:")[0]
    assert "\n  env_file: .env\n" in portal
    assert ".env" in (ROOT / ".dockerignore").read_text().splitlines()
