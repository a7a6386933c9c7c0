"""The page that checks a lockfile: for everybody, without JavaScript, and nothing of it is kept."""

import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.scanning.conftest import load, osv, rated
from tests.web.conftest import browser  # noqa: F401  # a fixture
from tests.web.test_accessibility import faults_of
from tests.web.watching import open_page

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "lockfiles"


def check(client: Client, status: int = 200, **form) -> str:
    answer = client.post("/audit", form)
    assert answer.status_code == status
    return answer.content.decode()


def test_a_pasted_text_is_answered_the_gravest_first(client, held):
    load(osv("GHSA-low", "left-pad", **rated("LOW")), osv("GHSA-bad", "right-pad", **rated("CRITICAL")))
    held("left-pad", "1.0.0", status="approved")
    lock = '{"lockfileVersion": 3, "packages": {%s}}'
    packages = ", ".join(
        f'"node_modules/{name}": {{"version": "1.0.0"}}' for name in ("left-pad", "right-pad", "fine")
    )
    page = check(client, text=lock % packages)
    assert page.index("GHSA-bad") < page.index("GHSA-low") < page.index("Packages without a known flaw")
    assert "2.<wbr>0.<wbr>0" in page
    assert 'href="/packages/npm/left-pad"' in page
    assert "/submit?ecosystem=npm&amp;name=right-pad&amp;version=1.0.0" in page


def test_a_file_is_recognised_by_its_name(client, samples):
    file = SimpleUploadedFile("package-lock.json", (SAMPLES / "package-lock.v3.json").read_bytes())
    page = check(client, file=file)
    assert "4.17.15" in page
    assert "tools/<wbr>ours" in page


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "one of the two"),
        ({"text": "a==1", "file": SimpleUploadedFile("a", b"a==1")}, "one of the two"),
        ({"text": "not a lockfile"}, "cannot be told"),
        ({"text": "a ==", "format": "requirements.txt"}, "line 1"),
        ({"file": SimpleUploadedFile("uv.lock", b"\xff\xfe")}, "UTF-8"),
        ({"text": "<script>alert(1)==1", "format": "requirements.txt"}, "&lt;script&gt;"),
    ],
)
def test_what_cannot_be_read_is_said_above_the_form(client, db, form, said):
    page = check(client, 400, **form)
    assert said in page
    assert "<script>alert" not in page


@pytest.mark.once
def test_what_is_too_long_is_not_even_received(client, db):
    assert "8 MiB" in check(client, 413, text="x" * (2 * 1024 * 1024 + 1))
    file = SimpleUploadedFile("uv.lock", b"x" * (9 * 1024 * 1024))
    assert "8 MiB" in check(client, 413, file=file)


@pytest.mark.once
def test_a_question_counts_as_one_to_the_api(client, db, settings):
    settings.RATE_LIMIT_ANONYMOUS = "2/d"
    check(client, text="a==1")
    assert client.get("/api/v1/advisories").status_code == 200
    assert "Wait" in check(client, 429, text="a==1")
    assert client.post("/audit", {"text": "a==1"})["Retry-After"]
    assert client.get("/audit").status_code == 200


@pytest.mark.once
def test_a_form_of_another_site_is_refused(db):
    assert Client(enforce_csrf_checks=True).post("/audit", {"text": "a==1"}).status_code == 403


@pytest.mark.browser
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_dropped_file_is_answered_and_the_page_has_no_violation(browser, live_server, held, samples, scheme, width):  # noqa: F811  # the fixture
    held("lodash", "4.17.15", status="approved", license="GPL-3.0-only")
    watched = open_page(browser, live_server, color_scheme=scheme, viewport={"width": width, "height": 844})
    page = watched.go("/audit")
    assert faults_of(page) == []
    page.get_by_label("License of your work").fill("MIT")
    drop = """(text) => {
        const files = new DataTransfer();
        files.items.add(new File([text], "package-lock.json"));
        document.querySelector("form[data-drop]").dispatchEvent(
            new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(drop, (SAMPLES / "package-lock.v3.json").read_text())
    page.get_by_role("heading", name="5 packages").wait_for()
    assert "GPL-3.0-only" in page.get_by_role("region", name="License clashes").inner_text()
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (watched.errors, watched.elsewhere) == ([], [])
