import json
from random import Random

import pytest

from registry import ecosystems
from registry.ecosystems.base import Dependency
from tests.ecosystems.building import npm, package_json, pax, tar_file, tar_header, tgz

NPM = ecosystems.get("npm")


def read(stored, **manifest):
    return NPM.read(stored(npm(manifest=package_json(**manifest)))).manifest


def test_a_tarball_tells_everything_about_its_package(stored):
    content = npm(
        tar_file("package/README.md", "# Core\n\nHällo".encode()),
        tar_file("package/LICENSE", b"MIT License"),
        tar_file("package/lib/LICENSE", b"not at the top"),
        tar_file("package/bin/run.js", b"#!", mode=0o755),
        manifest=package_json(
            description="The core",
            license="MIT",
            keywords=["a", "b", "a"],
            author="Alice <alice@example.com> (https://example.com)",
            contributors=[{"name": "Bob", "email": "bob@example.com"}, "mallory@example.com"],
            homepage="https://example.com",
            repository={"type": "git", "url": "git+https://example.com/acme/core.git"},
            dependencies={"left-pad": "^1.3.0"},
            devDependencies={"mocha": "10"},
            peerDependencies={"react": ">=17"},
            engines={"node": ">=18"},
            scripts={"postinstall": "node x.js", "test": "mocha"},
        ),
    )
    package = NPM.read(stored(content), filename="whatever.tgz")
    manifest = package.manifest
    assert (manifest.name, manifest.version, manifest.license) == ("@acme-utils/core", "1.2.0", "MIT")
    assert (manifest.description, manifest.homepage) == ("The core", "https://example.com")
    assert manifest.repository == "https://example.com/acme/core"
    assert (manifest.keywords, manifest.authors) == (("a", "b"), ("Alice", "Bob"))
    assert (manifest.readme, manifest.readme_format) == ("# Core\n\nHällo", "markdown")
    assert manifest.dependencies == (
        Dependency("left-pad", "^1.3.0", "runtime"),
        Dependency("react", ">=17", "peer"),
        Dependency("mocha", "10", "dev"),
    )
    assert manifest.install_scripts == {"postinstall": "node x.js"}
    assert manifest.requires == ">=18"
    assert json.dumps(dict(manifest.raw))
    assert (package.kind, package.filename) == ("tarball", "core-1.2.0.tgz")
    assert package.license_texts == {"package/LICENSE": "MIT License"}
    assert {entry.path for entry in package.entries if entry.executable} == {"package/bin/run.js"}


def test_the_top_folder_may_have_any_name(stored):
    package = ecosystems.read_package(stored(npm(root="demo-pkg")))
    assert package.manifest.name == "@acme-utils/core"


def test_the_version_is_stored_without_its_ornaments(stored):
    assert read(stored, version="v1.2.3+build").version == "1.2.3"


@pytest.mark.parametrize(
    ("declared", "license"),
    [
        ({"license": "(MIT OR Apache-2.0)"}, "(MIT OR Apache-2.0)"),
        ({"license": {"type": "ISC", "url": "x"}}, "ISC"),
        ({"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}, "(MIT OR GPL-2.0)"),
        ({"licenses": [{"type": "MIT"}]}, "MIT"),
        ({"license": ["MIT", "ISC"]}, "(MIT OR ISC)"),
        ({"license": "SEE LICENSE IN x.txt"}, "SEE LICENSE IN x.txt"),
        ({"license": 7}, ""),
        ({}, ""),
    ],
)
def test_a_license_may_be_declared_in_all_the_ways_of_npm(stored, declared, license):
    assert read(stored, **declared).license == license


@pytest.mark.parametrize(
    ("declared", "address"),
    [
        ("acme/core", "https://github.com/acme/core"),
        ("gitlab:acme/core", "https://gitlab.com/acme/core"),
        ({"url": "git://example.com/acme/core.git"}, "https://example.com/acme/core"),
        ({"url": "git+ssh://git@example.com/acme/core.git"}, "https://example.com/acme/core"),
        ("git@example.com:acme/core.git", "https://example.com/acme/core"),
        ("javascript:alert(1)", ""),
        (["x"], ""),
        ({}, ""),
    ],
)
def test_a_repository_becomes_an_address_to_click_or_nothing(stored, declared, address):
    assert read(stored, repository=declared).repository == address


def test_optional_dependencies_override_and_empty_lists_are_nothing(stored):
    manifest = read(stored, dependencies={"a": "1", "b": "1"}, optionalDependencies={"a": "2"}, devDependencies=[])
    assert manifest.dependencies == (Dependency("b", "1", "runtime"), Dependency("a", "2", "optional"))


@pytest.mark.parametrize(
    ("more", "scripts"),
    [
        ({}, {"install": "node-gyp rebuild"}),
        ({"gypfile": False}, {}),
        ({"scripts": {"install": "make"}}, {"install": "make"}),
        ({"scripts": {"postinstall": "x"}}, {"postinstall": "x", "install": "node-gyp rebuild"}),
    ],
)
def test_binding_gyp_alone_makes_npm_compile(stored, more, scripts):
    content = npm(tar_file("package/binding.gyp", b"{}"), manifest=package_json(**more))
    assert NPM.read(stored(content)).manifest.install_scripts == scripts


def test_markdown_readmes_come_first_and_bad_bytes_are_replaced(stored):
    content = npm(tar_file("package/README", b"plain"), tar_file("package/README.md", b"a\xff\x00b"))
    assert NPM.read(stored(content)).manifest.readme == "a\ufffd\ufffdb"


def test_a_long_readme_is_cut(stored):
    content = npm(tar_file("package/README.md", b"".join(b"%d line\n" % number for number in range(90_000))))
    assert len(NPM.read(stored(content)).manifest.readme) == 512 * 1024


def test_prototype_keys_are_plain_data(stored):
    raw = b'{"name":"core","version":"1.0.0","__proto__":{"x":1},"constructor":{"prototype":{}}}'
    assert NPM.read(stored(npm(manifest=raw))).manifest.raw["__proto__"] == {"x": 1}


def test_a_byte_order_mark_is_passed_over_as_npm_does(stored):
    assert NPM.read(stored(npm(manifest=b"\xef\xbb\xbf" + package_json()))).manifest.version == "1.2.0"


BROKEN = {
    "not JSON": b"{name: 1}",
    "empty": b"",
    "an array": b"[]",
    "a text": b'"x"',
    "not UTF-8": '{"name":"ü","version":"1.0.0"}'.encode("latin-1"),
    "UTF-16": '{"name":"a","version":"1.0.0"}'.encode("utf-16"),
    "a key twice": b'{"name":"a","version":"1.0.0","name":"b"}',
    "a key twice inside": b'{"name":"a","version":"1.0.0","scripts":{"a":"1","a":"2"}}',
    "NaN": b'{"name":"a","version":"1.0.0","x":NaN}',
    "Infinity": b'{"name":"a","version":"1.0.0","x":-Infinity}',
    "beyond all numbers": b'{"name":"a","version":"1.0.0","x":1e999}',
    "endless digits": b'{"name":"a","version":"1.0.0","x":' + b"9" * 5000 + b"}",
    "deep": b'{"name":"a","version":"1.0.0","x":' + b"[" * 100 + b"]" * 100 + b"}",
    "very deep": b"[" * 50_000,
    "NUL": b'{"name":"a","version":"1.0.0","x":"\\u0000"}',
    "half a surrogate": b'{"name":"a","version":"1.0.0","x":"\\ud800"}',
    "comment": b'{"name":"a","version":"1.0.0"} // x',
    "no name": b'{"version":"1.0.0"}',
    "no version": b'{"name":"a"}',
    "name is a number": b'{"name":1,"version":"1.0.0"}',
    "bad name": package_json(name="../evil"),
    "capital name": package_json(name="Core"),
    "bad version": package_json(version="1.0"),
    "dependencies are a list": package_json(dependencies=["a"]),
    "dependencies are objects": package_json(dependencies={"a": {"version": "1"}}),
    "too many dependencies": package_json(dependencies={f"a{number}": "1" for number in range(5_001)}),
}


@pytest.mark.parametrize("shape", BROKEN)
def test_a_broken_manifest_is_refused(refused, shape):
    error = refused(NPM.read, npm(manifest=BROKEN[shape]), "invalid_manifest")
    assert error.message.startswith("package.json ")


def test_an_oversized_manifest_is_refused(refused):
    noise = Random(1).randbytes(600_000).hex()
    refused(NPM.read, npm(manifest=package_json(noise=noise)), "archive_limit")


LAYOUTS = {
    "no package.json": tgz(tar_file("package/index.js", b"1")),
    "package.json below": tgz(tar_file("package/sub/package.json", package_json())),
    "package.json is a folder": tgz(tar_header("package/package.json", kind=b"5"), tar_file("package/x", b"1")),
    "package.json is a link": tgz(
        tar_file("package/real.json", package_json()), tar_header("package/package.json", kind=b"2", link=b"real.json")
    ),
    "package.json twice": npm(tar_file("package/package.json", package_json(version="6.6.6"))),
    "package.json in another case": npm(tar_file("package/Package.json", package_json(version="6.6.6"))),
    "package.json by a long name": npm(pax({"path": "package/package.json"}), tar_file("package/x", package_json())),
    "two roots": npm(tar_file("other/package.json", package_json())),
    "loose file": npm(tar_file("index.js", b"1")),
    "a second empty root": npm(tar_header("other/", kind=b"5")),
    "nothing": tgz(),
}


@pytest.mark.parametrize("shape", LAYOUTS)
def test_a_tarball_has_one_root_with_one_package_json(refused, shape):
    refused(NPM.read, LAYOUTS[shape])


def test_a_hostile_tarball_is_refused_by_its_entry_when_it_is_identified_too(refused):
    content = tgz(
        tar_header("package/evil", kind=b"2", link=b"/etc"), tar_file("package/package.json", package_json())
    )
    error = refused(ecosystems.identify, content, "archive_entry_type")
    assert "package/evil" in error.message
