"""npm registries as upstreams: packuments as they are in the world."""

import io

import orjson
import pytest

from registry.upstreams.asking import Terms
from registry.upstreams.sources import streaming
from registry.upstreams.sources.base import Busy, Denied, Failing, Nonsense, Wanted
from tests.upstreams import shops
from tests.upstreams.contract import SourceContract, made, names, walked

pytestmark = pytest.mark.once


@pytest.fixture
def shop():
    with shops.opened(shops.NpmShop()) as shop:
        yield shop


@pytest.fixture
def source(shop):
    return made("npm", shop.url)


@pytest.fixture
def source_wanting(shop):
    return lambda wanted: made("npm", shop.url, wanted=wanted)


class TestNpm(SourceContract):
    """The contract of every kind."""


def test_a_scoped_name_is_asked_for_in_one_segment_and_found(shop, source):
    shop.put("@types/ms", "2.1.0", "ms-2.1.0.tgz", b"types", released="2024-05-06T07:08:09.123Z")
    (found,) = source.find("npm", "@types/ms", "2.1.0")
    assert shop.requests == ["/@types%2Fms"]
    assert (found.filename, f"{found.released_at:%Y-%m-%d %H:%M}") == ("ms-2.1.0.tgz", "2024-05-06 07:08")
    with source.open(found) as stream:
        assert stream.read(100) == b"types"


def test_names_in_the_patterns_are_asked_for_and_globs_are_searched_for_within_their_scope(shop):
    for name in ("@acme/a", "@acme/b", "@other/a", "left-pad"):
        shop.put(name, "1.0.0", "x-1.0.0.tgz", b"x")
    listings, _ = walked(made("npm", shop.url, wanted=Wanted(("@acme/*", "left-pad"), ("*/b",))))
    assert names(listings) == {("@acme/a", "1.0.0"), ("left-pad", "1.0.0")}
    assert any("text=scope%3Aacme" in path for path in shop.requests)
    assert not any(path.endswith(("%2Fb", "@other%2Fa")) for path in shop.requests)


def test_internal_names_are_left_out_before_anybody_is_asked(shop):
    shop.put("ours", "99.0.0", "ours-99.0.0.tgz", b"x")
    listings, _ = walked(made("npm", shop.url, wanted=Wanted(("ours",)), is_internal=lambda name: name == "ours"))
    assert (listings, shop.requests) == ([], [])


def test_a_packument_that_did_not_change_is_not_sent_again_unless_the_patterns_did(shop):
    shop.put("old", "1.0.0", "old-1.0.0.tgz", b"x")
    _, bookmark = walked(made("npm", shop.url, wanted=Wanted(("old",))))
    shop.fault = lambda ask: (304, {}, b"") if ask.headers.get("If-Modified-Since") else None
    assert walked(made("npm", shop.url, wanted=Wanted(("old",))), bookmark)[0] == []
    more, _ = walked(made("npm", shop.url, wanted=Wanted(("old", "older"))), bookmark)
    assert names(more) == {("old", "1.0.0")}


def test_odd_documents_trouble_their_own_package_alone_and_leave_the_bookmark(shop):
    shop.put("good", "1.0.0", "good-1.0.0.tgz", b"x", says={"deprecated": "use another"})
    shop.put("odd", "1.0.0", "odd-1.0.0.tgz", b"x", says={"dist": {"tarball": 7}, "deprecated": True})
    shop.put("worse", "1.0.0", "worse-1.0.0.tgz", b"x")
    shops.spoils(shop, "cut json", "worse")
    pages = list(made("npm", shop.url, wanted=Wanted(("good", "odd", "worse"))).pages({}, {}))
    assert [(one.name, one.deprecated) for page in pages for one in page.listings] == [("good", "use another")]
    assert [name for page in pages for name, _ in page.troubles] == ["odd", "worse"]
    assert pages[-1].bookmark == {}


def test_what_was_unpublished_offers_nothing(shop, source):
    gone = {"_id": "gone", "name": "gone", "time": {"1.0.0": "2015-01-01T00:00:00Z", "unpublished": {"versions": []}}}
    shop.fault = lambda ask: shops.as_json(gone)
    assert source.find("npm", "gone", "1.0.0") == ()


def test_another_package_in_the_answer_is_refused(shop, source):
    shop.fault = lambda ask: shops.as_json({"name": "evil", "versions": {}})
    with pytest.raises(Nonsense, match="another package"):
        source.find("npm", "left-pad", "1.0.0")


@pytest.mark.parametrize(
    ("kind", "error"),
    [("busy", Busy), ("down", Failing), ("shut", Denied), ("a page", Nonsense), ("cut json", Nonsense)],
)  # fmt: skip
def test_what_an_upstream_does_wrong_is_told_apart(shop, source, kind, error):
    shops.spoils(shop, kind, "left-pad")
    with pytest.raises(error) as caught:
        source.find("npm", "left-pad", "1.0.0")
    assert getattr(caught.value, "seconds", 120) == 120


def test_a_credential_stays_with_the_registry_when_tarballs_lie_on_another_host(shop):
    with shops.opened(shops.NpmShop()) as elsewhere:
        shop.files_url = elsewhere.url
        shop.put("left-pad", "1.0.0", "left-pad-1.0.0.tgz", b"bytes")
        elsewhere.put("left-pad", "1.0.0", "left-pad-1.0.0.tgz", b"bytes")
        source = made("npm", shop.url, terms=Terms(private=True, credentials={"Authorization": "Bearer secret"}))
        (found,) = source.find("npm", "left-pad", "1.0.0")
        with source.open(found) as stream:
            assert stream.read(100) == b"bytes"
        assert [ask.headers.get("Authorization") for ask in (*shop.heard, *elsewhere.heard)] == ["Bearer secret", None]


# --- documents of any size ----------------------------------------------------------------------------------
AWKWARD = [
    {},
    {"a": {}, "b": []},
    {"a": {"x": 1, "y": [1, {"z": '}]{[\\"'}], "": None}, "skip": {"a": {"x": 2}}, "b": ["é", -1.5e3, True]},
    {"skip": "\\", "a": "no object", "b": {"k": {"deep": [[[[]]]]}}},
]


class Drop:
    """Gives a few bytes at a time."""

    def __init__(self, raw: bytes, size: int) -> None:
        self.file, self.size = io.BytesIO(raw), size
        self.told: dict[str, str] = {}

    def read(self, size: int, /) -> bytes:
        return self.file.read(min(size, self.size))


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
@pytest.mark.parametrize("document", AWKWARD)
@pytest.mark.parametrize("option", [0, orjson.OPT_INDENT_2])
@pytest.mark.parametrize("small", [0, 30, streaming.SMALL])
def test_members_come_out_as_a_whole_parser_reads_them_however_the_bytes_arrive(document, size, option, small):
    found = list(streaming.members(Drop(orjson.dumps(document, option=option), size), ("a", "b"), small=small))
    wanted = []
    for key in ("a", "b"):
        value = document.get(key)
        if isinstance(value, dict):
            wanted += [(key, name, one) for name, one in value.items()]
        elif isinstance(value, list):
            wanted += [(key, "", one) for one in value]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


def test_a_document_cut_anywhere_is_refused():
    whole = orjson.dumps(AWKWARD[2])
    for end in range(len(whole)):
        with pytest.raises(Nonsense):
            list(streaming.members(Drop(whole[:end], 3), ("a", "b"), small=end % 2 and streaming.SMALL))


def test_one_member_may_not_fill_the_memory():
    raw = b'{"a": {"x": "' + b"y" * (streaming.MEMBER + 10) + b'"}}'
    with pytest.raises(Nonsense, match="larger than 8 MiB"):
        list(streaming.members(Drop(raw, 65536), ("a",)))
    assert list(streaming.members(Drop(raw, 65536), ("b",))) == []
