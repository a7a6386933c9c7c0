"""What Python's clients read: the index in both forms, files, metadata; nothing undecided, nothing private."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from licensing import keys, minting
from registry import approving, retiring, tasks
from registry.models import Release
from registry.protocols.pypi import urls
from registry.protocols.pypi.negotiating import chosen
from tests import builders
from tests.builders import Cast
from tests.protocols.pypi.conftest import PIP, Pip, read

WHEEL = "files/acme-utils/1.2.0/acme_utils-1.2.0-py3-none-any.whl"
FILES = (WHEEL, f"{WHEEL}.metadata", "files/acme-utils/1.2.0/acme_utils-1.2.0.tar.gz")
PAGE = "simple/acme-utils/"
JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def built(standing_index: Callable[[Path], tuple[Cast, Release]], db: None, tmp_path: Path) -> tuple[Cast, Release]:
    return standing_index(tmp_path)


@pytest.fixture
def cast(built: tuple[Cast, Release]) -> Cast:
    return built[0]


@pytest.fixture
def utils(built: tuple[Cast, Release]) -> Release:
    return built[1]


def page_of(client: Pip, path: str = PAGE) -> dict:
    return json.loads(client.ask(path).content)


def test_the_page_names_every_file_with_what_installers_choose_by(nobody: Pip, utils: Release):
    answer = nobody.ask(PAGE)
    page = json.loads(answer.content)

    assert (answer["Content-Type"], answer["Cache-Control"]) == (JSON, "public, no-cache")
    assert "Accept" in answer["Vary"]
    assert (page["meta"]["api-version"], page["name"], page["versions"]) == ("1.4", "acme-utils", ["1.2.0"])
    wheel, sdist = page["files"]
    assert wheel["url"] == f"http://testserver/pypi/{WHEEL}"
    assert (wheel["requires-python"], wheel["yanked"], wheel["provenance"]) == (">=3.8", False, None)
    assert (sdist["filename"], sdist["core-metadata"]) == ("acme_utils-1.2.0.tar.gz", False)
    for file in page["files"]:
        body = read(nobody.get(file["url"].removeprefix("http://testserver")))
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (file["hashes"]["sha256"], file["size"])


def test_the_metadata_beside_a_wheel_is_what_lies_in_it_byte_for_byte(nobody: Pip, utils: Release):
    said = page_of(nobody)["files"][0]
    metadata = nobody.ask(f"{WHEEL}.metadata").content
    with zipfile.ZipFile(io.BytesIO(read(nobody.ask(WHEEL)))) as wheel:
        assert metadata == wheel.read("acme_utils-1.2.0.dist-info/METADATA")
    assert said["core-metadata"] == said["data-dist-info-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}
    assert nobody.ask("files/acme-utils/1.2.0/acme_utils-1.2.0.tar.gz.metadata").status_code == 404


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        (PIP, JSON),
        ("text/html", "text/html"),
        ("*/*", "text/html"),
        ("", "text/html"),
        (f"{HTML}, {JSON}; q=0.2", HTML),
        (f"text/html; q=0, {JSON}; q=0.1", JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/*;q=0.5, text/html;q=0.4", JSON),
        ("application/json", ""),
        ("text/html; q=0", ""),
        (f"{JSON}; q=nonsense", ""),
    ],
)
@pytest.mark.once
def test_the_form_is_the_one_that_the_client_likes_best(accept: str, sent: str):
    form = chosen(accept)
    assert (form.content_type if form else "") == sent


def test_html_says_the_same_and_what_is_not_offered_is_406(nobody: Pip, utils: Release):
    html = nobody.ask(PAGE, Accept="text/html")
    assert html["Content-Type"] == "text/html"
    for file in page_of(nobody)["files"]:
        address = f"{file['url']}#sha256={file['hashes']['sha256']}"
        assert f'<a href="{address}" data-requires-python="&gt;=3.8"' in html.content.decode()
    for path in (PAGE, "simple/"):
        assert nobody.ask(path, Accept="application/json").status_code == 406


def test_who_has_the_page_gets_304_in_one_query(nobody: Pip, utils: Release, django_assert_num_queries):
    with django_assert_num_queries(1):
        tag = nobody.ask(PAGE)["ETag"]
    assert nobody.ask(PAGE, **{"If-None-Match": tag}).status_code == 304
    assert nobody.ask(PAGE, **{"If-None-Match": tag, "Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize("name", ["Acme_Utils/", "acme.utils/", "acme--utils/", "ACME-utils", "acme-utils"])
@pytest.mark.parametrize("base", ["/pypi/", "/pypi/acme/"])
def test_other_spellings_lead_to_the_page(cast: Cast, utils: Release, name: str, base: str):
    client = Pip(builders.token(cast.alice, "read"), base)
    answer = client.ask(f"simple/{name}")
    assert (answer.status_code, answer["Location"]) == (301, f"http://testserver{base}simple/acme-utils/")


def test_the_list_has_what_the_caller_may_have_of_and_is_asked_for_once(cast: Cast, secret: Release, nobody: Pip):
    builders.release(builders.package(cast.acme, "open", "pypi", latest_status="approved"))
    builders.release(builders.package(cast.acme, "waiting", "pypi", latest_status="pending"), status="pending")
    member, stranger = Pip(builders.token(cast.bob, "read")), Pip(builders.token(cast.mallory, "read"))

    def names(client: Pip) -> list[str]:
        return [one["name"] for one in json.loads(read(client.ask("simple/")))["projects"]]

    assert names(member) == ["acme-utils", "open"]
    assert names(nobody) == names(stranger) == ["open"]
    html = nobody.ask("simple/", Accept=HTML)
    assert b'<a href="open/">open</a>' in read(html)
    tag = nobody.ask("simple/")["ETag"]
    assert len({tag, html["ETag"], member.ask("simple/")["ETag"]}) == 3
    known = nobody.ask("simple/", **{"If-None-Match": tag})
    assert known.status_code == 304
    assert int(known["X-PyPI-Last-Serial"]) > 0
    approving.quarantine(secret, builders.actor(cast.bob), reason="Odd.")
    assert nobody.ask("simple/", **{"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", FILES)
def test_a_withdrawn_version_is_absent_and_its_files_say_why(nobody: Pip, cast: Cast, utils: Release, path: str):
    assert nobody.ask(path).status_code == 200
    approving.quarantine(utils, builders.actor(cast.bob), reason="It steals “cookies”.")

    page = page_of(nobody)
    assert (page["files"], page["versions"]) == ([], [])
    assert page["project-status"] == {"status": "quarantined", "reason": "It steals “cookies”."}
    for method, headers in (
        ("get", {}),
        ("head", {}),
        ("get", {"Range": "bytes=0-9"}),
        ("get", {"If-None-Match": "*"}),
    ):
        answer = nobody.ask(path, method, **headers)
        assert answer.status_code == 403
        assert answer.reason_phrase == 'This version is quarantined. It steals "cookies".'
        assert not answer.streaming
    assert "It steals “cookies”." in nobody.ask(path).json()["error"]


def test_an_unlisted_version_is_yanked_with_the_reason_until_it_is_removed(nobody: Pip, cast: Cast, utils: Release):
    retiring.unlist(utils, builders.actor(cast.root))
    assert [file["yanked"] for file in page_of(nobody)["files"]] == ["Unlisted here: it is about to be removed."] * 2
    assert nobody.ask(WHEEL).status_code == 200
    Release.objects.filter(pk=utils.pk).update(purge_at=timezone.now())
    assert [nobody.ask(path).status_code for path in FILES] == [410, 410, 410]


@pytest.mark.parametrize("path", [PAGE, *FILES, f"{WHEEL}.provenance", f"integrity{WHEEL[5:]}/provenance"])
def test_a_private_package_does_not_exist_for_strangers(cast: Cast, secret: Release, path: str):
    for client in (Pip(), Pip(builders.token(cast.mallory, "read"))):
        assert client.ask(path).status_code == 404
        assert client.ask(path, "head").status_code == 404
    assert Pip(builders.token(cast.mallory, "read"), "/pypi/acme/").ask(path).status_code == 403
    answer = Pip(builders.token(cast.bob, "read"), "/pypi/acme/").ask(path)
    assert answer.status_code == (404 if "provenance" in path else 200)
    assert answer["Cache-Control"].startswith("private") or answer.status_code == 404


def test_the_page_below_a_project_names_files_below_it(cast: Cast, secret: Release):
    client = Pip(builders.token(cast.alice, "read"), "/pypi/acme/")
    url = page_of(client)["files"][0]["url"]
    assert url == f"http://testserver/pypi/acme/{WHEEL}"
    answer = client.get(url.removeprefix("http://testserver"), headers={"Range": "bytes=0-1"})
    assert (answer.status_code, read(answer)) == (206, b"PK")


def test_a_file_has_one_address(nobody: Pip, utils: Release):
    for path in ("1.2/acme_utils-1.2.0.tar.gz", "latest/acme_utils-1.2.0.tar.gz", "1.2.0/acme_utils-1.2.1.tar.gz"):
        assert nobody.ask(f"files/acme-utils/{path}").status_code == 404


def test_a_sold_key_shows_what_it_covers_and_says_why_not_of_the_rest(cast: Cast, twine: Pip, secret: Release):
    newer = builders.wheel("acme-utils", "2.0.0")
    assert twine.upload(newer, "acme_utils-2.0.0-py3-none-any.whl").status_code == 200
    tasks.drain()
    wanted = keys.Wanted(packages=("acme-utils",), constraint="version", range="<2")
    holder = Pip(minting.unseal(keys.create(wanted, builders.actor(cast.alice)).sealed))

    assert page_of(holder)["versions"] == ["1.2.0"]
    assert json.loads(read(holder.ask("simple/")))["projects"] == [{"name": "acme-utils"}]
    assert [holder.ask(path).status_code for path in FILES] == [200, 200, 200]
    for more in ("", ".metadata", ".provenance"):
        answer = holder.ask(f"files/acme-utils/2.0.0/acme_utils-2.0.0-py3-none-any.whl{more}")
        assert (answer.status_code, "2.0.0" in answer.reason_phrase) == (403, True), answer.reason_phrase
    assert holder.ask("simple/nothing-of-that-name/").status_code == 403
    older = keys.Wanted(packages=("acme-utils",), constraint="version", range="<1")
    holder_of_none = Pip(minting.unseal(keys.create(older, builders.actor(cast.alice)).sealed))
    answer = holder_of_none.ask("simple/acme-utils/")
    assert (answer.status_code, "covers the versions <1" in answer.reason_phrase) == (403, True)


@pytest.mark.once
def test_every_address_is_asked_here():
    """A new route that gives bytes or names comes here first."""
    routed = {str(one.pattern) for one in urls.routes}
    asked = {"simple/", "simple/<str:name>/", urls.FILE, f"{urls.FILE}.metadata", f"{urls.FILE}.provenance"}
    without = {"simple", "simple/<str:name>", "legacy", "legacy/"}  # lead to the others, or take uploads
    assert routed == asked | without | {f"integrity{urls.FILE[5:]}/provenance"}
