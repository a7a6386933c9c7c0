"""The pages where somebody asks for a package, and where they see what became of it."""

import pytest

from tests import builders
from tests.web.test_pages import page, queries, signed_in, text_of


def test_a_developer_submits_a_package_and_lands_on_its_page(alice):
    client = signed_in(alice)
    answer = client.post("/submit", {"ecosystem": "npm", "name": "is-odd", "version": "3.0.1", "note": "Needed."})
    assert answer.status_code == 302
    assert answer["Location"] == "/packages/npm/is-odd/versions/3.0.1"
    words = text_of(page(client, answer["Location"]))
    assert "Submitted. The checks are running" in words
    assert "Needed." in words
    assert "is-odd" in page(client, "/profile")


def test_a_file_sent_along_is_kept_and_must_be_what_was_named(alice):
    from django.core.files.uploadedfile import SimpleUploadedFile

    client = signed_in(alice)
    given = {"ecosystem": "npm", "name": "left-pad", "version": "1.0.0"}
    wrong = {**given, "version": "2.0.0", "file": SimpleUploadedFile("left-pad.tgz", builders.npm_tarball())}
    assert "not left-pad 2.0.0" in text_of(client.post("/submit", wrong).content.decode())
    right = {**given, "file": SimpleUploadedFile("left-pad.tgz", builders.npm_tarball())}
    assert client.post("/submit", right).status_code == 302
    assert "left-pad-1.0.0.tgz" in page(client, "/packages/npm/left-pad?tab=files").replace("<wbr>", "")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": ""}, "name"), ({"version": "not a version"}, "version"), ({"ecosystem": "x"}, "ecosystem")],
)
def test_a_refused_submission_says_beside_the_field_what_is_wrong(alice, wrong, field):
    given = {"ecosystem": "npm", "name": "is-odd", "version": "3.0.1", **wrong}
    answer = signed_in(alice).post("/submit", given)
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode() or "message--error" in answer.content.decode()


def test_a_known_version_leads_to_its_page(alice, left_pad):
    given = {"ecosystem": "npm", "name": "left-pad", "version": "1.0.0"}
    answer = signed_in(alice).post("/submit", given)
    assert answer.status_code in (400, 403, 409)
    assert "left-pad" in answer.content.decode()


def test_strangers_are_asked_to_sign_in_and_come_back(client, db):
    assert "Sign in to submit" in page(client, "/submit?name=is-odd")
    assert client.post("/submit", {"name": "x"})["Location"].startswith("/sign-in?next=/submit")
    assert client.get("/profile")["Location"].startswith("/sign-in?next=/profile")


def test_a_link_fills_the_form_in(alice):
    html = page(signed_in(alice), "/submit?ecosystem=pypi&name=%22%3E%3Cb%3E&version=1")
    assert "&quot;&gt;&lt;b&gt;" in html
    assert '<option value="pypi" selected>' in html


def test_the_profile_costs_the_same_however_many_submissions(alice, acme):
    client = signed_in(alice)
    for number in range(3):
        builders.release(builders.package(acme, f"a-{number}"), submitted_by=alice)
    few = queries(client, "/profile")
    for number in range(30):
        builders.release(builders.package(acme, f"b-{number}"), submitted_by=alice)
    assert queries(client, "/profile") == few
