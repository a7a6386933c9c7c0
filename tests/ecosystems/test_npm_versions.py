import pytest

from registry import ecosystems
from registry.ecosystems import semver
from registry.errors import InvalidInput
from tests.ecosystems.vectors import comparisons, holds, table

NPM = ecosystems.get("npm")
# npm reads these only in its loose mode, which its installer always uses and so do we
LOOSE = {">01.02.03", "~1.2.3beta", ">=09090"}


def pre(case):
    return bool(case["options"].get("includePrerelease"))


def parsed(text):
    try:
        return semver.Range(text)
    except InvalidInput:
        return None


@pytest.mark.parametrize(
    "case", table("npm-range-include.json"), ids=lambda case: f"{case['version']} in {case['range']}"
)
def test_npm_lets_the_version_into_the_range(case):
    assert NPM.parse_range(case["range"]).contains(case["version"], prerelease=pre(case))


@pytest.mark.parametrize(
    "case", table("npm-range-exclude.json"), ids=lambda case: f"{case['version']} not in {case['range']}"
)
def test_npm_keeps_the_version_out_of_the_range(case):
    if isinstance(case["version"], str):
        reading = parsed(case["range"])
        assert reading is None or not reading.contains(case["version"], prerelease=pre(case))


def test_ranges_have_the_canonical_form_that_npm_prints():
    wrong = []
    for case in table("npm-range-parse.json"):
        if len(case["range"]) > semver.MAX_LENGTH or case["range"] in LOOSE:
            continue
        reading = parsed(case["range"])
        if (reading and reading.canonical(prerelease=pre(case))) != case["canonical"]:
            wrong.append(case)
    assert not wrong


def test_real_advisory_ranges_have_the_canonical_form_that_npm_prints():
    for case in table("npm-real-ranges.json"):
        assert semver.Range(case["vulnerable"]).canonical() == case["vulnerable_canonical"]


def test_npm_orders_versions():
    for case in table("npm-comparisons.json"):
        assert NPM.sort_key(case["greater"]) > NPM.sort_key(case["lesser"])
    for case in table("npm-equality.json"):
        assert NPM.sort_key(case["a"]) == NPM.sort_key(case["b"])
    for left, sign, right in comparisons("osv-semver-versions.txt"):
        assert holds(NPM.sort_key(left), sign, NPM.sort_key(right)), (left, sign, right)


def test_npm_knows_a_version_when_it_sees_one():
    for case in table("npm-valid-versions.json"):
        assert semver.parse(case["version"], loose=bool(case.get("options", {}).get("loose"))) is not None
    for case in table("npm-invalid-versions.json"):
        if isinstance(case["value"], str):
            with pytest.raises(InvalidInput):
                NPM.canonical_version(case["value"])


def test_build_metadata_makes_no_other_version():
    assert NPM.canonical_version("v1.2.3+build.7") == "1.2.3"
    assert NPM.sort_key("1.2.3+a") == NPM.sort_key("1.2.3+b")


@pytest.mark.parametrize(
    "text", ["latest", "npm:left-pad@^1", "workspace:*", "git+https://example.org/x.git", "../x", "1.x.5"]
)
def test_what_is_no_range_is_refused_by_name(text):
    with pytest.raises(InvalidInput) as caught:
        NPM.parse_range(text)
    assert text in caught.value.message


def test_the_best_version_is_the_highest_that_fits_and_final():
    versions = ["1.2.0", "1.10.0", "1.3.0", "2.0.0", "1.11.0-rc.1"]
    assert NPM.best(versions, "^1.2") == "1.10.0"
    assert NPM.best(versions, "^1.2", prerelease=True) == "1.11.0-rc.1"
    assert NPM.best(versions, "^3") is None


@pytest.mark.parametrize("name", ["core", "@acme-utils/core", "a", "lodash.merge", "jquery-ui", "@a/b~c", "0x"])
def test_npm_takes_ordinary_names(name):
    NPM.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Core",
        ".core",
        "_core",
        "@acme",
        "@acme/",
        "@/core",
        "a/b",
        "@a/b/c",
        "core ",
        "ä",
        "a" * 215,
        "node_modules",
        "favicon.ico",
        "publish",
        "stats",
        "a\n",
        "@acme/.hidden",
        "a%2fb",
        "..",
        "@../x",
    ],
)
def test_npm_refuses_other_names_and_says_why(name):
    with pytest.raises(InvalidInput) as caught:
        NPM.check_name(name)
    assert caught.value.message.isprintable()
