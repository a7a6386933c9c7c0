"""Artifactory, with everything that real ones were seen to do."""

import base64

import pytest

from registry.upstreams.asking import Terms
from registry.upstreams.sources.base import START, Busy, Denied, Failing, Nonsense
from tests.upstreams.artifactory_server import Artifactory
from tests.upstreams.contract import SourceContract, made, names, walked

pytestmark = pytest.mark.once
SMALL = 7


@pytest.fixture(scope="module")
def running():
    with Artifactory("npm-local").running() as server:
        yield server


@pytest.fixture
def shop(running, monkeypatch):
    """The server, as new; pages are small, so that a few files make several."""
    monkeypatch.setattr("registry.upstreams.sources.artifactory.ROWS", SMALL)
    monkeypatch.setattr("registry.upstreams.sources.artifactory.OVERLAP", 2)
    running.files, running.requests, running.heard = {}, [], []
    running.does = type(running.does)()
    return running


@pytest.fixture
def source(shop):
    return made("artifactory", shop.url, repository="npm-local", ecosystem="npm")


@pytest.fixture
def source_wanting(shop):
    return lambda wanted: made("artifactory", shop.url, repository="npm-local", ecosystem="npm", wanted=wanted)


class TestByAql(SourceContract):
    pass


class TestByList(SourceContract):
    @pytest.fixture(autouse=True)
    def no_aql(self, shop):
        shop.does.aql = False


class TestByChildren(SourceContract):
    @pytest.fixture(autouse=True)
    def the_free_edition(self, shop):
        shop.does.aql = shop.does.pro = False


class TestPython(SourceContract):
    ecosystem = "pypi"

    def file_of(self, name, version):
        return f"{name.replace('-', '_')}-{version}.tar.gz", f"{name} {version}".encode()

    @pytest.fixture
    def source(self, shop):
        return made("artifactory", shop.url, repository="npm-local", ecosystem="pypi")

    @pytest.fixture
    def source_wanting(self, shop):
        return lambda wanted: made("artifactory", shop.url, repository="npm-local", ecosystem="pypi", wanted=wanted)


FORMS = {
    "sizes as texts": {"sizes_as_text": True},
    "dates with an offset": {"offset_dates": True},
    "no SHA-256": {"with_sha256": False},
    "children that do not say what they are": {"children_say_folder": False, "aql": False, "pro": False},
    "a remote repository's cache": {"cached": True},
    "a virtual repository that tells all twice": {"virtual": True},
    "answers that are trimmed": {"hard_limit": 3},
    "texts in lists": {"aql": False, "sizes_as_text": True},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_answer_is_read(shop, source, form):
    vars(shop.does).update(FORMS[form])
    offered = {(f"pack-{number}", "1.0.0") for number in range(12)} | {("@scope/pack", "2.0.0")}
    for name, version in offered:
        shop.put(name, version, f"{name.rpartition('/')[2]}-{version}.tgz", name.encode())
    listings, bookmark = walked(source)
    assert names(listings) == offered
    assert all(one.digests["sha1"] and one.size == len(one.name) for one in listings)
    assert set(bookmark) == {"after"}


def test_scopes_and_notes_of_the_server_itself(shop, source):
    shop.keep("@s/n/-/@s/n-1.0.0.tgz", b"1")
    shop.keep("@s/n/-/n-1.1.0.tgz", b"2")
    shop.keep(".npm/n/package.json", b"{}")
    shop.keep("stray.tgz", b"at the root")
    (page,) = source.pages(START, START)
    assert names(page.listings) == {("@s/n", "1.0.0"), ("@s/n", "1.1.0")}
    assert [name for name, _ in page.troubles] == ["stray.tgz"]


@pytest.mark.parametrize("odd", ["semi;colon", "plus+", "a blank", "ünïcode", "per%2Fcent", "ha#sh", "ques?tion"])
def test_odd_names_are_asked_for_as_they_are(shop, odd):
    shop.keep(f"{odd}/1.0/{odd}.bin", b"bytes")
    source = made("artifactory", shop.url, repository="npm-local", ecosystem="generic")
    (listing,), _ = walked(source)
    with source.open(listing) as stream:
        assert stream.read(100) == b"bytes"


@pytest.mark.parametrize("aql", [True, False])
def test_an_item_at_the_root_has_its_version_in_its_name(shop, aql):
    shop.does.aql = aql
    shop.keep("tool-1.2.tar.gz", b"bytes")
    source = made("artifactory", f"{shop.url}/artifactory/", repository="npm-local", ecosystem="generic")
    assert names(walked(source)[0]) == {("tool", "1.2")}


CREDENTIALS = {
    "key": {"X-JFrog-Art-Api": "k-1"},
    "token": {"Authorization": "Bearer t-1"},
    "basic": {"Authorization": f"Basic {base64.b64encode(b'me:pass').decode()}"},
}


@pytest.mark.parametrize("form", CREDENTIALS)
def test_every_form_of_credential_is_sent_and_none_is_told(shop, form):
    headers = CREDENTIALS[form]
    (value,) = headers.values()
    setattr(shop.does, form, value.removeprefix("Bearer "))
    shop.put("left-pad", "1.0.0", "left-pad-1.0.0.tgz", b"bytes")
    with_it = made(
        "artifactory",
        shop.url,
        terms=Terms(private=True, credentials=headers),
        repository="npm-local",
        ecosystem="npm",
    )
    assert names(walked(with_it)[0]) == {("left-pad", "1.0.0")}
    wrong = Terms(private=True, credentials=dict.fromkeys(headers, "wrong-secret"))
    without = made("artifactory", shop.url, terms=wrong, repository="npm-local", ecosystem="npm")
    with pytest.raises(Denied) as refusal:
        walked(without)
    assert "wrong-secret" not in refusal.value.message


def test_patience_is_asked_for_and_trouble_is_named(shop, source):
    shop.put("left-pad", "1.0.0", "left-pad-1.0.0.tgz", b"bytes")
    shop.does.statuses, shop.does.retry_after = [429], "7"
    with pytest.raises(Busy) as busy:
        walked(source)
    assert busy.value.seconds == 7
    shop.does.statuses, shop.does.retry_after = [503], ""
    with pytest.raises(Busy):
        walked(source)
    shop.does.statuses = [500]
    assert names(walked(source)[0]), "one stumble is no trouble"
    shop.does.statuses = [500, 502]
    with pytest.raises(Failing):
        walked(source)
    shop.does.cut_json = 1
    with pytest.raises(Nonsense, match="no whole JSON"):
        walked(source)
    shop.does.html = True
    with pytest.raises(Nonsense, match="text/html"):
        walked(source)
