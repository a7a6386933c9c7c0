"""Lockfiles: what real tools wrote, what people write by hand, and what would rather bring the portal down."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import InvalidInput
from scanning import lockfiles
from scanning.lockfiles import FORMATS, NAMES

pytestmark = pytest.mark.once
SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "lockfiles"
PYTHON = {"pkg:pypi/flask@1.1.1", "pkg:pypi/jinja2@2.11.2", "pkg:pypi/requests@2.31.0"}
NPM = {"pkg:npm/lodash@4.17.15", "pkg:npm/minimist@1.2.5", "pkg:npm/%40babel/helper-plugin-utils@7.14.5"}
# What npm 11, uv 0.13 and Poetry 2.5 wrote, and how many packages each pins; hosts replaced, some hashes left out.
REAL = {
    "package-lock.v1.json": ("package-lock.json", 4, NPM),
    "package-lock.v2.json": ("package-lock.json", 4, NPM),
    "package-lock.v3.json": ("package-lock.json", 5, NPM),
    "bom.json": ("cyclonedx", 7, NPM),
    "requirements.txt": ("requirements.txt", 12, PYTHON),
    "poetry.lock": ("poetry.lock", 12, PYTHON | {"pkg:pypi/colorama@0.4.6"}),
    "uv.lock": ("uv.lock", 12, PYTHON | {"pkg:pypi/colorama@0.4.6"}),
}


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def purls(text: str, format: str = "") -> list[str]:
    return [pin.purl for pin in lockfiles.read(text, format).pins]


def refused(text: str, format: str) -> str:
    with pytest.raises(InvalidInput) as refusal:
        lockfiles.read(text, format)
    assert set(refusal.value.details) == {"lockfile"}
    return refusal.value.details["lockfile"][0]


@pytest.mark.parametrize("name", REAL)
def test_what_real_tools_write_is_read_and_recognised(name: str):
    kind, count, some = REAL[name]
    found = purls(sample(name))
    assert lockfiles.format_of(sample(name)) == kind
    assert len(found) == count
    assert some <= set(found)


@pytest.mark.parametrize("name", ["package-lock.v1.json", "package-lock.v3.json", "bom.json"])
def test_an_alias_is_judged_by_its_real_name(name: str):
    assert "pkg:npm/minimist@0.0.8" in purls(sample(name))
    assert not any("old-minimist" in one for one in purls(sample(name)))


def test_folders_of_the_project_are_told_of_and_not_judged():
    for name, folder in (("package-lock.v3.json", "tools/ours"), ("uv.lock", "shop")):
        assert [one.text for one in lockfiles.read(sample(name)).unnamed] == [folder]


def test_npm_finds_what_lies_deeper_or_bundled_and_doubts_what_came_from_a_repository():
    packages = {
        "": {"name": "mine", "version": "1.0.0"},
        "node_modules/a": {"version": "1.0.0"},
        "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "inBundle": True},
        "node_modules/linked": {"link": True, "resolved": "../elsewhere"},
        "node_modules/forked": {"version": "3.0.0", "resolved": "git+ssh://git@host.example/forked.git#abc"},
        "node_modules/odd": {"optional": True},
    }
    found = lockfiles.read(json.dumps({"lockfileVersion": 3, "packages": packages}))
    assert [(pin.name, pin.version, bool(pin.doubt)) for pin in found.pins] == [
        ("a", "1.0.0", False), ("@s/b", "2.0.0", False), ("forked", "3.0.0", True), ("odd", "", False),
    ]  # fmt: skip
    assert [one.text for one in found.unnamed] == ["node_modules/linked"]


def test_the_first_npm_format_nests_and_may_hold_addresses():
    inner = {"c": {"version": "git+https://host.example/c.git#abc"}, "d": {"version": "1.0.0", "bundled": True}}
    document = {"lockfileVersion": 1, "dependencies": {"b": {"version": "1.0.0", "dependencies": inner}}}
    found = lockfiles.read(json.dumps(document))
    assert {(pin.name, pin.version, bool(pin.doubt)) for pin in found.pins} == {
        ("b", "1.0.0", False), ("c", "", True), ("d", "1.0.0", False),
    }  # fmt: skip


REQUIREMENTS = """\
\ufeff# comment
--index-url https://index.example/simple
requests[security, socks]==2.31.0 ; python_version >= "3.8" \\
    --hash=sha256:aa \\
    --hash=sha256:bb
Flask == 1.1.1  # pinned
odd===1.0-custom
jinja2>=2,<3
six==1.*
mine @ https://files.example/mine-1.0.tar.gz
-r more.txt
-e git+https://host.example/x.git#egg=x
./wheels/y-1.0-py3-none-any.whl
-c constraints.txt
"""


def test_requirements_are_pins_and_what_is_none_is_told_of():
    found = lockfiles.read(REQUIREMENTS)
    assert [(pin.name, pin.version) for pin in found.pins if not pin.doubt] == [
        ("requests", "2.31.0"), ("Flask", "1.1.1"), ("odd", "1.0-custom"),
    ]  # fmt: skip
    assert [pin.name for pin in found.pins if pin.doubt] == ["jinja2", "six", "mine"]
    assert [(one.line, one.text) for one in found.unnamed] == [
        (11, "more.txt"), (12, "git+https://host.example/x.git#egg=x"), (13, "./wheels/y-1.0-py3-none-any.whl"),
    ]  # fmt: skip


def test_python_locks_doubt_what_came_from_elsewhere():
    git = '[[package]]\nname = "x"\nversion = "1.0"\n'
    ends = {
        "poetry.lock": '[package.source]\ntype = "git"\n[metadata]\nlock-version = "2.1"\n',
        "uv.lock": 'source = { git = "https://host.example/x" }\n',
    }
    for kind, end in ends.items():
        begin = "version = 1\n" if kind == "uv.lock" else ""
        [pin] = lockfiles.read(begin + git + end, kind).pins
        assert pin.doubt, kind


def test_a_bill_of_materials_is_read_at_any_depth_and_for_any_type():
    inner = {"type": "library", "name": "deep", "purl": "pkg:cargo/serde@1.0.0"}
    components = [
        {"type": "library", "name": "log4j", "purl": "pkg:maven/org.apache/log4j@2.0", "components": [inner]},
        {"type": "library", "name": "nameless", "version": "1"},
        {"type": "file", "name": "a.txt"},
    ]
    found = lockfiles.read(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}))
    assert [(pin.ecosystem, pin.name) for pin in found.pins] == [("maven", "org.apache:log4j"), ("cargo", "serde")]
    assert [one.text for one in found.unnamed] == ["nameless 1"]


@pytest.mark.parametrize(
    ("format", "text", "where"),
    [
        ("package-lock.json", '{\n"packages": }', "line 2"),
        ("package-lock.json", '{"packages": {"node_modules/a": 5}}', "node_modules/a"),
        ("package-lock.json", '{"packages": {"node_modules/a": {"version": 5}}}', "version"),
        ("package-lock.json", '{"packages": {"node_modules/a\\u0000": {"version": "1"}}}', "invisible"),
        ("package-lock.json", "{}", "packages"),
        ("requirements.txt", "ok==1.0\nnot a requirement", "line 2"),
        ("requirements.txt", "a==1 ; " + "(" * 1900, "line 1"),
        ("poetry.lock", "[metadata]\nlock-version = = 2", "line 2"),
        ("uv.lock", "version = 1\npackage = 5", "package"),
        ("uv.lock", "version = 1\n" + "a." * 50_000 + "b = 1", "line 2"),
        ("uv.lock", "version = 1\na = " + "[" * 100_000, "deep"),
        ("uv.lock", "version = 1\na = " + "9" * 5_000, "number"),
        ("cyclonedx", '{"bomFormat": "CycloneDX", "components": {}}', "components"),
        ("cyclonedx", "<bom/>", "line 1"),
        ("package-lock.json", '{"a":' * 100_000, "deep"),
        ("package-lock.json", "[" * 1_000_001, "parts"),
        ("requirements.txt", "x" * (8 * 1024 * 1024 + 1), "8 MiB"),
        ("requirements.txt", "\n".join(f"p{number}==1" for number in range(5_001)), "5,000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(format: str, text: str, where: str):
    assert where in refused(text, format)


@pytest.mark.parametrize(
    "text", ["", "# nothing", "{}", '{"bomFormat": "CycloneDX", "lockfileVersion": 3}', "a = 1", "[]"]
)
def test_a_format_is_never_guessed(text: str):
    with pytest.raises(InvalidInput) as refusal:
        lockfiles.format_of(text)
    assert "format" in refusal.value.details or "lockfile" in refusal.value.details


def test_every_name_of_a_format_leads_to_one():
    assert set(NAMES.values()) == set(FORMATS)


def survives(format: str, text: str) -> None:
    with suppress(InvalidInput):
        lockfiles.read(text, format)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["", *FORMATS]), st.text(max_size=400))
def test_no_text_breaks_a_parser(format: str, text: str):
    survives(format, text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(REAL)), st.data())
def test_no_damage_to_a_real_file_breaks_a_parser(name: str, data):
    text = sample(name)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(st.text(st.sampled_from('{}[]",:=#\\\n \t@;<>()-.1a\x00\ud800é'), max_size=12))
    for kind in (REAL[name][0], ""):
        survives(kind, text[:start] + put + text[end:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["", "packages", "dependencies", "version", "name", "purl", "components", "node_modules/a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["packages", "dependencies", "components", "metadata"]), JSON, max_size=3))
def test_no_shape_of_a_document_breaks_a_parser(document):
    for more in ({"bomFormat": "CycloneDX"}, {"lockfileVersion": 3}):
        survives("", json.dumps({**document, **more}))
