"""Index documents: what npm and Python clients read, and what a package may not smuggle into them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from registry.ecosystems import npm_index, pypi_index
from registry.ecosystems.indexes import ORIGIN, File, Index, Version

pytestmark = pytest.mark.once
THEN = datetime(2026, 3, 1, 12, 30, 15, 123456, UTC)
FILE = File("core-1.2.0.tgz", 100, "a" * 40, "b" * 64, "sha512-x", THEN, unpacked_size=300, entry_count=2)
WHEEL = File("acme-1.0-py3-none-any.whl", 9, "a" * 40, "b" * 64, "", THEN, requires=">=3.8", metadata_sha256="c" * 64)


def npm(*versions: Version, **facts) -> dict[str, dict]:
    tags = {"latest": versions[0].version} if versions else {}
    index = Index("@acme/core", versions, tags, THEN, THEN, **facts)
    return {one.kind: json.loads(one.body) for one in npm_index.documents(index)}


def core(**facts) -> Version:
    return replace(Version("1.2.0", {"name": "@acme/core", "version": "1.2.0"}, (FILE,), THEN), **facts)


def python(*versions: Version, **facts) -> tuple[dict, "Links"]:
    page, html = pypi_index.documents(Index("acme", versions, {}, THEN, THEN, **facts))
    links = Links()
    links.feed(html.body.decode())
    return json.loads(page.body), links


class Links(HTMLParser):
    """The anchors of a page, as a client sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict] = []
        self.meta: dict = {}

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "a":
            self.found.append(said)
        if tag == "meta":
            self.meta[said["name"]] = said["content"]


def test_a_packument_says_where_the_tarball_is_and_what_it_must_be():
    dist = npm(core())["packument"]["versions"]["1.2.0"]["dist"]
    assert dist == {
        "tarball": f"{ORIGIN}/@acme/core/-/core-1.2.0.tgz",
        "shasum": "a" * 40,
        "integrity": "sha512-x",
        "fileCount": 2,
        "unpackedSize": 300,
    }


def test_the_abbreviated_packument_keeps_what_installing_needs_and_nothing_else():
    raw = {
        "name": "@acme/core",
        "version": "1.2.0",
        "bin": {"core": "cli.js"},
        "dependencies": {"left-pad": "^1.0.0"},
        "peerDependenciesMeta": {"react": {"optional": True}},
        "scripts": {"test": "node test"},
        "description": "long",
    }
    short = npm(core(raw=raw, install_scripts={"install": "node-gyp rebuild"}))["packument-abbreviated"]
    assert short["modified"] == "2026-03-01T12:30:15.123Z"
    one = short["versions"]["1.2.0"]
    assert one.pop("dist")["integrity"] == "sha512-x"
    assert one == {
        "name": "@acme/core",
        "version": "1.2.0",
        "bin": {"core": "cli.js"},
        "dependencies": {"left-pad": "^1.0.0"},
        "peerDependenciesMeta": {"react": {"optional": True}},
        "hasInstallScript": True,
        "_hasShrinkwrap": False,
    }


def test_a_package_cannot_say_what_only_the_registry_says():
    raw = {
        "dist": {"tarball": "https://evil.example/x.tgz", "integrity": "sha512-evil"},
        "deprecated": "use evil instead",
        "hasInstallScript": False,
        "_id": "other@9.9.9",
        "name": "other",
        "version": "9.9.9",
    }
    one = npm(core(raw=raw))["packument"]["versions"]["1.2.0"]
    assert (one["name"], one["version"], one["_id"]) == ("@acme/core", "1.2.0", "@acme/core@1.2.0")
    assert "deprecated" not in one
    assert "evil" not in json.dumps(one)


def test_npm_is_told_of_deprecation_and_of_nothing_that_is_unlisted():
    told = npm(core(deprecated="use 2.x"), core(version="1.1.0", yanked="Unlisted"))["packument"]
    assert list(told["versions"]) == ["1.2.0"]
    assert told["versions"]["1.2.0"]["deprecated"] == "use 2.x"
    assert set(told["time"]) == {"created", "modified", "1.2.0"}


def test_a_package_of_which_nothing_may_be_had_has_no_packument():
    assert npm() == {}
    assert npm(core(yanked="Unlisted")) == {}


def test_the_python_page_says_the_same_as_json_and_as_html():
    page, links = python(Version("1.0", {}, (WHEEL,), THEN))
    (file,) = page["files"]
    assert file == {
        "filename": "acme-1.0-py3-none-any.whl",
        "url": f"{ORIGIN}/files/acme/1.0/acme-1.0-py3-none-any.whl",
        "hashes": {"sha256": "b" * 64},
        "size": 9,
        "upload-time": "2026-03-01T12:30:15.123456Z",
        "yanked": False,
        "core-metadata": {"sha256": "c" * 64},
        "data-dist-info-metadata": {"sha256": "c" * 64},
        "provenance": None,
        "requires-python": ">=3.8",
    }
    assert (page["meta"], page["versions"]) == ({"api-version": "1.4"}, ["1.0"])
    assert links.found == [
        {
            "href": f"{file['url']}#sha256={'b' * 64}",
            "data-requires-python": ">=3.8",
            "data-core-metadata": f"sha256={'c' * 64}",
            "data-dist-info-metadata": f"sha256={'c' * 64}",
        }
    ]
    assert links.meta == {"pypi:repository-version": "1.4", "pypi:project-status": "active"}


def test_an_unlisted_python_version_is_yanked_with_its_reason():
    page, links = python(Version("1.0", {}, (WHEEL,), THEN, yanked='gone "soon" <b>'))
    assert page["files"][0]["yanked"] == 'gone "soon" <b>'
    assert links.found[0]["data-yanked"] == 'gone "soon" <b>'


def test_a_quarantined_project_offers_no_file_and_says_why():
    page, links = python(status="quarantined", status_reason="GHSA-1 <critical>")
    assert (page["files"], page["project-status"]) == ([], {"status": "quarantined", "reason": "GHSA-1 <critical>"})
    assert links.found == []
    assert links.meta["pypi:project-status-reason"] == "GHSA-1 <critical>"
