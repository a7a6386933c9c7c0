"""The text of changed files, from real archives: for reviewers alone, bounded, shown and never run."""

import gzip

import pytest

from registry.models import Release
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cast, tmp_path):
    """`pair(before, after)`: two published versions of one package with these files; the second one."""
    keys = builders.key_pair(tmp_path)

    def publish(before: dict, after: dict) -> Release:
        builders.published(cast.alice, keys, builders.npm_tarball("thing", "1.0.0", before), checks=False)
        Release.objects.update(status="approved")
        return builders.published(cast.alice, keys, builders.npm_tarball("thing", "1.1.0", after), checks=False)

    return publish


def shown(client, release: Release, path: str, part: str = "&part=1"):
    return client.get(f"/admin/review/{release.pk}/file/?path={path}{part}")


def kinds(page) -> list[tuple[str, str]]:
    return [(line.kind, line.text) for line in page.context["found"].lines if line.kind != "same"]


def test_a_changed_file_shows_what_changed(as_bob, pair):
    old = "".join(f"line {number}\n" for number in range(30))
    release = pair({"lib/a.js": old}, {"lib/a.js": old.replace("line 15\n", "fetch('//evil')\nline fifteen\n")})
    page = shown(as_bob, release, "package/lib/a.js")
    assert page.status_code == 200
    assert kinds(page) == [
        ("hunk", "@@ −13,7 +13,8 @@"),
        ("removed", "line 15"),
        ("added", "fetch('//evil')"),
        ("added", "line fifteen"),
    ]
    assert "fetch(&#x27;//evil&#x27;)" in page.content.decode()
    assert "<html" not in page.content.decode()


def test_new_and_removed_files_are_shown_whole(as_bob, pair):
    release = pair({"old.js": "1\n"}, {"new.js": "2\n3\n"})
    assert kinds(shown(as_bob, release, "package/new.js"))[1:] == [("added", "2"), ("added", "3")]
    assert kinds(shown(as_bob, release, "package/old.js"))[1:] == [("removed", "1")]


def test_a_page_of_its_own_without_scripts(as_bob, pair):
    release = pair({"a.js": "1\n"}, {"a.js": "2\n"})
    text = shown(as_bob, release, "package/a.js", part="").content.decode()
    assert "<html" in text
    assert f'href="/admin/review/{release.pk}/"' in text


def test_what_is_no_text_is_not_shown(as_bob, pair):
    release = pair({"a.bin": b"\x00\x01"}, {"a.bin": b"\x00\x02"})
    assert "not text" in shown(as_bob, release, "package/a.bin").content.decode()


def test_a_file_with_endless_lines_stays_small(as_bob, pair):
    release = pair({"a.js": "a" * 100_000}, {"a.js": "b" * 100_000})
    page = shown(as_bob, release, "package/a.js")
    assert len(page.content) < 5_000


def test_a_file_with_too_many_lines_is_left_to_ones_own_tools(as_bob, cast, pair):
    release = pair({"a.js": "a\n" * 9000}, {"a.js": "b\n" * 9000})
    assert "more than 4,000 lines" in shown(as_bob, release, "package/a.js").content.decode()


@pytest.mark.parametrize("path", ["", "package/none.js", "../../etc/passwd", "%00", "a" * 3000])
def test_what_neither_holds_is_not_found(as_bob, pair, path):
    release = pair({"a.js": "1\n"}, {"a.js": "2\n"})
    assert shown(as_bob, release, path).status_code == 404


def test_wheels_are_read_too(as_bob, cast, tmp_path):
    keys = builders.key_pair(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        name = f"demo-{version}-py3-none-any.whl"
        release = builders.published(cast.alice, keys, builders.wheel("demo", version), filename=name, checks=False)
        Release.objects.update(status="approved")
    page = shown(as_bob, release, "demo/__init__.py")
    assert kinds(page)[1:] == [("removed", "VERSION = '1.0.0'"), ("added", "VERSION = '1.1.0'")]
    page = shown(as_bob, release, "demo-%E2%80%A6.dist-info/METADATA")
    assert ("added", "Version: 1.1.0") in kinds(page)


def test_the_review_links_every_changed_file(as_bob, pair):
    release = pair({"lib/ä b.js": "1\n"}, {"lib/ä b.js": "2\n"})
    text = as_bob.get(f"/admin/review/{release.pk}/").content.decode()
    assert f"/admin/review/{release.pk}/file/?path=package%2Flib%2F%C3%A4%20b.js" in text


def test_a_reviewer_takes_the_archive_along_whatever_its_status(as_bob, pair):
    release = pair({}, {"a.js": "2\n"})
    Release.objects.filter(pk=release.pk).update(status="quarantined")
    page = as_bob.get(f"/admin/review/{release.pk}/archive/")
    body = b"".join(page.streaming_content)
    assert gzip.decompress(body).startswith(b"package/package.json")
    assert page["Content-Disposition"] == 'attachment; filename="thing-1.1.0.tgz"'
    assert (page["Content-Type"], page["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert "no-store" in page["Cache-Control"]


def test_where_no_file_is_held_there_is_none_to_take(as_bob, alice):
    asked = builders.submitted(alice)
    page = as_bob.get(f"/admin/review/{asked.pk}/archive/", follow=True)
    assert "No file is held here" in page.content.decode()


def test_a_developer_gets_neither_text_nor_archive(as_alice, pair):
    release = pair({"a.js": "1\n"}, {"a.js": "2\n"})
    for path in ("file/?path=package/a.js", "archive/"):
        assert as_alice.get(f"/admin/review/{release.pk}/{path}").status_code == 302
