"""Python indexes as upstreams: JSON, or HTML where there is nothing else."""

import pytest

from registry.upstreams.sources.base import Nonsense, Vanished, Wanted
from tests.upstreams import shops
from tests.upstreams.contract import SourceContract, made, names, walked

pytestmark = pytest.mark.once


@pytest.fixture(params=["json", "html"])
def shop(request):
    shop = shops.PyPiShop()
    shop.speaks_json = request.param == "json"
    with shops.opened(shop):
        yield shop


@pytest.fixture
def index():
    with shops.opened(shops.PyPiShop()) as shop:
        yield shop


@pytest.fixture
def source(shop):
    return made("pypi", shop.url)


@pytest.fixture
def source_wanting(shop):
    return lambda wanted: made("pypi", f"{shop.url}/simple/", wanted=wanted)


class TestPyPi(SourceContract):
    """The contract of every kind, in both languages."""

    ecosystem = "pypi"

    def file_of(self, name: str, version: str) -> tuple[str, bytes]:
        return f"{name.replace('-', '_')}-{version}.tar.gz", f"{name} {version}".encode()


def test_the_wheel_that_runs_anywhere_comes_first_then_the_sdist_and_eggs_never(shop, source):
    for filename in ("demo-1.0.0-cp312-cp312-win_amd64.whl", "Demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl",
                     "demo-1.0-py2.7.egg", "demo-1.0.exe", "other-1.0.tar.gz", "demo-1.1.tar.gz"):  # fmt: skip
        shop.put("Demo", "1.0", filename, filename.encode())
    found = source.find("pypi", "DEMO", "1.0.0")
    assert [one.filename for one in found] == [
        "demo-1.0-py3-none-any.whl", "Demo-1.0.tar.gz", "demo-1.0.0-cp312-cp312-win_amd64.whl"
    ]  # fmt: skip
    assert shop.requests == ["/simple/demo/"]


def test_what_is_yanked_says_so_in_both_languages(shop, source):
    shop.put("demo", "1.0", "demo-1.0.tar.gz", b"x", says={"yanked": "it <breaks>"})
    assert source.find("pypi", "demo", "1.0")[0].yanked == "it <breaks>"


def test_the_index_tells_which_projects_grew_by_their_serials(index):
    source = made("pypi", index.url)
    index.put("old", "1.0", "old-1.0.tar.gz", b"x")
    _, bookmark = walked(source)
    index.put("new", "1.0", "new-1.0.tar.gz", b"x")
    index.requests.clear()
    listings, _ = walked(source, bookmark)
    assert names(listings) == {("new", "1.0")}
    assert "/simple/old/" not in index.requests
    assert f"{listings[0].released_at:%Y-%m-%d}" == "2020-02-03"


def test_a_quarantined_project_offers_no_files_whatever_it_lists(index):
    index.put("bad", "1.0", "bad-1.0.tar.gz", b"x")
    index.status = "quarantined"
    assert made("pypi", index.url).find("pypi", "bad", "1.0") == ()


def test_odd_entries_trouble_their_own_project_alone(index):
    index.put("good", "1.0", "good-1.0.tar.gz", b"x", says={"hashes": "none", "size": -1, "upload-time": 7})
    index.put("odd", "1.0", "odd-1.0.tar.gz", b"x", says={"url": None})
    pages = list(made("pypi", index.url, wanted=Wanted(("good", "odd"))).pages({}, {}))
    (found,) = [one for page in pages for one in page.listings]
    assert (found.name, found.size, found.released_at, dict(found.digests)) == ("good", None, None, {})
    assert [name for page in pages for name, _ in page.troubles] == ["odd"]


def test_a_page_cut_in_the_middle_is_refused_in_both_languages(shop, source):
    shop.put("demo", "1.0", "demo-1.0.tar.gz", b"x")
    status, headers, body = shop.answer(shops.Ask("/simple/demo/", {}, {}))
    half = body[: len(body) - 60]
    shop.fault = lambda ask: (status, {**headers, "Content-Length": str(len(half))}, half)
    with pytest.raises(Nonsense):
        source.find("pypi", "demo", "1.0")


def test_a_file_that_is_gone_is_said_to_be_gone(index):
    index.put("demo", "1.0", "demo-1.0.tar.gz", b"x")
    source = made("pypi", index.url)
    (found,) = source.find("pypi", "demo", "1.0")
    shops.spoils(index, "gone", "files/")
    with pytest.raises(Vanished), source.open(found):
        pass
