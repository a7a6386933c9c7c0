import json
from random import Random

import pytest

from registry import ecosystems
from registry.ecosystems.base import Dependency
from tests.ecosystems.building import (
    WHEEL,
    npm,
    package_json,
    pkg_info,
    record_line,
    sdist,
    tar_file,
    tgz,
    wheel,
    zipped,
)

PYPI = ecosystems.get("pypi")
ROOT = "acme_utils-1.2.0"
INFO = f"{ROOT}.dist-info"


def test_an_sdist_tells_everything_about_its_package(stored):
    info = pkg_info(
        "Acme.Utils",
        "1.2.0rc1",
        "Summary: Useful things",
        "License-Expression: MIT",
        "Classifier: License :: OSI Approved :: MIT License",
        "Classifier: Topic :: Utilities",
        "Keywords: a,b, a",
        "Author: Alice",
        "Author-email: Bob <bob@example.com>, mallory@example.com",
        "Project-URL: Homepage, https://example.com",
        "Project-URL: Source Code, https://example.com/src",
        "Requires-Python: >=3.9",
        "Requires-Dist: requests[socks]>=2,<3",
        'Requires-Dist: tomli; python_version < "3.11"',
        'Requires-Dist: pytest>=7; extra == "test"',
        "Requires-Dist: tool @ https://example.com/tool.zip",
        "Description-Content-Type: text/markdown; charset=UTF-8",
        body="# Hällo",
    )
    content = sdist(tar_file(f"{ROOT}/LICENSE.txt", b"MIT"), tar_file(f"{ROOT}/setup.py", b"1"), info=info)
    package = ecosystems.read_package(stored(content))
    manifest = package.manifest
    assert (manifest.ecosystem, manifest.name, manifest.version) == ("pypi", "Acme.Utils", "1.2.0rc1")
    assert (manifest.description, manifest.license) == ("Useful things", "MIT")
    assert manifest.license_classifiers == ("License :: OSI Approved :: MIT License",)
    assert (manifest.keywords, manifest.authors) == (("a", "b"), ("Alice", "Bob"))
    assert (manifest.homepage, manifest.repository) == ("https://example.com", "https://example.com/src")
    assert (manifest.readme, manifest.readme_format, manifest.requires) == ("# Hällo", "markdown", ">=3.9")
    assert manifest.dependencies == (
        Dependency("requests", "<3,>=2"),
        Dependency("tomli", "", "runtime", 'python_version < "3.11"'),
        Dependency("pytest", ">=7", "extra", 'extra == "test"'),
        Dependency("tool", "@ https://example.com/tool.zip"),
    )
    assert json.dumps(dict(manifest.raw))
    assert (package.kind, package.filename) == ("sdist", "acme_utils-1.2.0rc1.tar.gz")
    assert "setup.py" in manifest.install_scripts
    assert package.license_texts == {f"{ROOT}/LICENSE.txt": "MIT"}


def test_an_sdist_without_a_description_shows_its_readme(stored):
    manifest = PYPI.read(stored(sdist(tar_file(f"{ROOT}/README.rst", b"Hi")))).manifest
    assert (manifest.readme, manifest.readme_format) == ("Hi", "rst")


def test_an_sdist_with_a_package_json_is_no_npm_package(stored):
    for early in (True, False):
        parts = [tar_file(f"{ROOT}/package.json", package_json()), tar_file(f"{ROOT}/PKG-INFO", pkg_info())]
        assert ecosystems.identify(stored(tgz(*(parts if early else reversed(parts))))).slug == "pypi"
    assert ecosystems.identify(stored(npm(tar_file("package/python/PKG-INFO", pkg_info())))).slug == "npm"


SDISTS = {
    "no PKG-INFO": tgz(tar_file(f"{ROOT}/setup.py", b"1")),
    "PKG-INFO below": tgz(tar_file(f"{ROOT}/x/PKG-INFO", pkg_info())),
    "two roots": sdist(tar_file("other/x.py", b"1")),
    "PKG-INFO twice": sdist(tar_file(f"{ROOT}/PKG-INFO", pkg_info(version="6"))),
    "no name": sdist(info=b"Metadata-Version: 2.1\nVersion: 1\n"),
    "no version": sdist(info=b"Metadata-Version: 2.1\nName: a\n"),
    "name twice": sdist(info=pkg_info().replace(b"Version: 1", b"Name: evil\nVersion: 1")),
    "version twice": sdist(info=pkg_info("a", "1", "Version: 2")),
    "version by no rule": sdist(info=pkg_info(version="2010i")),
    "bad name": sdist(info=pkg_info(name="-evil-")),
    "name over two lines": sdist(info=b"Name: a\n b\nVersion: 1\n"),
    "name not UTF-8": sdist(info=b"Name: \xff\nVersion: 1\n"),
    "broken requirement": sdist(info=pkg_info("a", "1", "Requires-Dist: b >=?")),
    "endless requirement": sdist(info=pkg_info("a", "1", "Requires-Dist: b>=" + "1" * 5000)),
    "nested requirement": sdist(info=pkg_info("a", "1", "Requires-Dist: b; " + "(" * 3000)),
    "mail in parts": sdist(info=b"Content-Type: multipart/mixed; boundary=x\n" + pkg_info()),
    "too many fields": sdist(info=pkg_info("a", "1", *(f"X-{number}: 1" for number in range(300)))),
    "empty": sdist(info=b""),
    "binary": sdist(info=bytes(range(256))),
}


@pytest.mark.parametrize("shape", SDISTS)
def test_a_broken_sdist_is_refused(refused, shape):
    refused(PYPI.read, SDISTS[shape])


def test_a_wheel_tells_what_it_is_and_how_it_is_called(stored):
    content = wheel((f"{INFO}/licenses/LICENSE", b"MIT"), ("acme_utils/core.py", b"pass"))
    package = ecosystems.read_package(stored(content), "Acme_Utils-1.2.0-py3-none-any.whl")
    assert (package.kind, package.filename) == ("wheel", "acme_utils-1.2.0-py3-none-any.whl")
    assert package.manifest.name == "acme-utils"
    assert package.license_texts == {f"{INFO}/licenses/LICENSE": "MIT"}
    assert package.manifest.install_scripts == {}


@pytest.mark.parametrize(
    ("lines", "tail"),
    [
        ("Tag: py2-none-any\nTag: py3-none-any", "py2.py3-none-any"),
        ("Build: 7b\nTag: py3-none-any", "7b-py3-none-any"),
        (
            "Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux2014_x86_64",
            "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        ),
    ],
)
def test_the_file_name_follows_from_the_tags(stored, lines, tail):
    content = wheel(tags=f"Wheel-Version: 1.0\n{lines}\n".encode())
    assert PYPI.read(stored(content)).filename == f"acme_utils-1.2.0-{tail}.whl"


def test_code_that_runs_at_every_start_is_brought_to_light(stored):
    content = wheel(("evil.pth", b"# path\nimport os; os.system('x')\n../lib\n"), ("plain.pth", b"lib\n"))
    assert PYPI.read(stored(content)).manifest.install_scripts == {"evil.pth": "import os; os.system('x')"}


def test_another_package_cannot_be_claimed_by_the_file_name(stored, refused):
    for claimed in ("evil-1.2.0-py3-none-any.whl", "acme_utils-6.6.6-py3-none-any.whl"):
        refused(lambda path, name=claimed: PYPI.read(path, filename=name), wheel(), "invalid_manifest")
    for harmless in ("Acme.Utils-1.2-py3-none-any.whl", "upload.bin", ""):
        assert PYPI.read(stored(wheel()), filename=harmless).manifest.version == "1.2.0"


LINES = [
    record_line("acme_utils/__init__.py", b""),
    record_line(f"{INFO}/METADATA", pkg_info()),
    record_line(f"{INFO}/WHEEL", WHEEL),
]


def record(*lines):
    return wheel(record="\n".join([*lines, f"{INFO}/RECORD,,"]).encode())


WHEELS = {
    "RECORD misses a file": record(*LINES[1:]),
    "RECORD names an absent file": record(*LINES, record_line("evil.py", b"")),
    "RECORD lies about a digest": record(record_line("acme_utils/__init__.py", b"x"), *LINES[1:]),
    "RECORD lies about a size": record(LINES[0][:-1] + "5", *LINES[1:]),
    "RECORD without a digest": record("acme_utils/__init__.py,,", *LINES[1:]),
    "RECORD by a weak digest": record("acme_utils/__init__.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0", *LINES[1:]),
    "RECORD twice the same": record(*LINES, LINES[0]),
    "RECORD with two columns": record(*LINES, "a,b"),
    "RECORD not UTF-8": wheel(record=b"\xff,,"),
    "RECORD with an open quote": wheel(record=b'"a,,'),
    "RECORD climbs": record(*LINES, record_line("../evil", b"")),
    "no METADATA": wheel(leave_out=("METADATA",)),
    "no WHEEL": wheel(leave_out=("WHEEL",)),
    "no RECORD": wheel(leave_out=("RECORD",)),
    "two dist-infos": wheel(("evil-1.dist-info/METADATA", pkg_info("evil", "1"))),
    "two dist-infos in another case": wheel(("evil-1.DIST-INFO/METADATA", pkg_info("evil", "1"))),
    "folder of another package": wheel(folder="evil-1.2.0.dist-info"),
    "folder of another version": wheel(folder="acme_utils-6.6.6.dist-info"),
    "folder without a version": wheel(folder="acme_utils.dist-info"),
    "data climbs": wheel(("acme_utils-1.2.0.data/scripts/../../../evil", b"")),
    "no tags": wheel(tags=b"Wheel-Version: 1.0\n"),
    "bad tag": wheel(tags=b"Tag: py3\n"),
    "tag with a path": wheel(tags=b"Tag: py3-none-../../x\n"),
    "tags that no name can express": wheel(tags=b"Tag: py2-none-any\nTag: py3-abi3-any\n"),
    "too many tags": wheel(tags=b"Tag: " + b".".join(b"a%d" % number for number in range(300)) + b"-none-any\n"),
    "two builds": wheel(tags=WHEEL + b"Build: 1\nBuild: 2\n"),
    "bad build": wheel(tags=WHEEL + b"Build: 0x/../y\n"),
    "bad version": wheel(info=pkg_info(version="one")),
    "a plain zip": zipped(("a/x.py", b"1")),
}


@pytest.mark.parametrize("shape", WHEELS)
def test_a_broken_wheel_is_refused(refused, shape):
    refused(ecosystems.read_package, WHEELS[shape])
    refused(PYPI.read, WHEELS[shape])


def test_an_oversized_metadata_is_refused(refused):
    refused(PYPI.read, wheel(info=pkg_info(body=Random(1).randbytes(600_000).hex())), "archive_limit")


def test_old_and_odd_fields_become_nothing(stored):
    info = pkg_info(
        "a", "1", "Summary: UNKNOWN", "License: UNKNOWN", "Home-page: javascript:alert(1)", "Author: UNKNOWN"
    )
    manifest = PYPI.read(stored(sdist(tar_file(f"{ROOT}/README", b"Hi"), info=info))).manifest
    assert (manifest.description, manifest.license, manifest.homepage) == ("", "", "")
    assert (manifest.readme, manifest.readme_format) == ("Hi", "text")
