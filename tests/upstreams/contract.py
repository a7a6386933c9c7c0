"""What every kind of upstream has to do, asked of each of them over a real socket.

A kind's test module derives a class from `SourceContract`, and gives two fixtures: `shop`, a local server of that kind
whose `put(name, version, filename, content)` adds a file now, and `source`, made with `made(kind, shop.url)`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pytest

from registry.upstreams import sources
from registry.upstreams.asking import Safe, Terms
from registry.upstreams.sources.base import START, Listing, Page, Site, Source, Vanished, Wanted


class Shop(Protocol):
    """A local server of one kind."""

    url: str
    requests: list[str]

    def put(self, name: str, version: str, filename: str, content: bytes) -> None:
        """Offer one more file."""

    def drop(self, filename: str) -> None:
        """List it still, and have it no more."""


def made(kind: str, url: str, *, terms: Terms | None = None, **site: Any) -> Source:
    """A source of that kind, with a way out that may visit loopback."""
    web = Safe(url, terms or Terms(private=True))
    return sources.source_of(kind, Site(url, **site), web)


def walked(source: Source, since: Mapping[str, Any] = START) -> tuple[list[Listing], Mapping[str, Any]]:
    """Every listing and the bookmark; each page is asked for by a cursor alone, as after a crash."""
    found: list[Listing] = []
    cursor: Mapping[str, Any] | None = START
    page = Page([])
    while cursor is not None:
        page = next(iter(source.pages(since, cursor)))
        found += page.listings
        cursor = page.cursor
    return found, page.bookmark


def names(listings: Iterable[Listing]) -> set[tuple[str, str]]:
    return {(one.name, one.version) for one in listings}


class SourceContract:
    """The promises of `sources.base.Source`."""

    ecosystem = "npm"

    def file_of(self, name: str, version: str) -> tuple[str, bytes]:
        """A file name of this kind, and bytes."""
        return f"{name.rpartition('/')[2]}-{version}.tgz", f"{name} {version}".encode()

    def offer(self, shop: Shop, *wanted: tuple[str, str]) -> None:
        for name, version in wanted:
            shop.put(name, version, *self.file_of(name, version))

    def test_everything_is_listed_page_by_page_from_any_cursor(self, shop, source):
        offered = {(f"pack-{number}", "1.0.0") for number in range(12)}
        self.offer(shop, *offered)
        listings, _ = walked(source)
        assert names(listings) == offered
        in_one_walk = [one for page in source.pages(START, START) for one in page.listings]
        assert names(in_one_walk) == offered
        assert {one.ecosystem for one in listings} == {self.ecosystem}

    def test_a_second_listing_says_what_is_new_and_what_changed(self, shop, source):
        self.offer(shop, ("old", "1.0.0"), ("grows", "1.0.0"))
        _, bookmark = walked(source)
        self.offer(shop, ("grows", "1.1.0"), ("new", "1.0.0"))
        listings, _ = walked(source, bookmark)
        assert {("grows", "1.1.0"), ("new", "1.0.0")} <= names(listings)

    def test_the_bytes_are_those_that_the_digests_and_the_size_tell(self, shop, source):
        self.offer(shop, ("left-pad", "1.0.0"))
        (listing,), _ = walked(source)
        with source.open(listing) as stream:
            content = stream.read(1 << 20)
        assert content == self.file_of("left-pad", "1.0.0")[1]
        assert listing.size in (None, len(content))
        assert all(hashlib.new(name, content).hexdigest() == digest for name, digest in listing.digests.items())
        assert listing.digests or listing.mark

    def test_one_version_is_found_without_a_listing(self, shop, source):
        self.offer(shop, ("left-pad", "1.0.0"), ("left-pad", "1.1.0"), ("right-pad", "1.0.0"))
        found = source.find(self.ecosystem, "left-pad", "1.1.0")
        assert names(found) == {("left-pad", "1.1.0")}
        assert source.find(self.ecosystem, "left-pad", "9.9.9") == ()
        assert source.find(self.ecosystem, "nobody-has-this", "1.0.0") == ()

    def test_what_is_gone_since_it_was_listed_is_said_to_be_gone(self, shop, source):
        self.offer(shop, ("left-pad", "1.0.0"))
        (listing,), _ = walked(source)
        shop.drop(listing.filename)
        with pytest.raises(Vanished), source.open(listing) as stream:
            stream.read(1)

    def test_patterns_leave_out_what_is_not_wanted(self, shop, source_wanting):
        self.offer(shop, ("acme-core", "1.0.0"), ("acme-secret", "1.0.0"), ("other", "1.0.0"))
        listings, _ = walked(source_wanting(Wanted(("acme-*",), ("*secret",))))
        assert names(listings) == {("acme-core", "1.0.0")}
