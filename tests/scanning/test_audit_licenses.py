"""POST /audit with a license: what the packages in use mean for the work that takes them in, and no false alarm."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.models import Package, Release
from tests import builders
from tests.api.clients import ApiClient
from tests.scanning.test_audit import audit, nobody  # noqa: F401  # a fixture

GPL = ["pkg:npm/gpl@1.0.0"]


@pytest.fixture
def stock(held):
    """Packages under their licenses, in two ecosystems."""
    for spdx, name in {
        "GPL-3.0-only": "gpl",
        "LGPL-3.0-only": "lgpl",
        "GPL-3.0-only OR MIT": "dual",
        "": "bare",
    }.items():
        held(name, license=spdx, status="approved")
    held("snake", "1.0", "pypi", license="AGPL-3.0-only", canonical="1", status="approved")


def lock(**root) -> str:
    packages = {"": root, "node_modules/gpl": {"version": "1.0.0"}}
    return json.dumps({"lockfileVersion": 3, "packages": packages})


def bom(licenses) -> str:
    described = {"name": "shop", "licenses": licenses}
    components = [{"name": "gpl", "purl": GPL[0]}]
    return json.dumps({"bomFormat": "CycloneDX", "metadata": {"component": described}, "components": components})


def test_clashes_are_listed_the_gravest_first_and_the_rest_is_counted(nobody, stock):  # noqa: F811  # a fixture
    names = ["npm/lgpl@1.0.0", "npm/dual@1.0.0", "npm/gpl@1.0.0", "npm/bare@1.0.0", "npm/nowhere@1.0.0",
             "pypi/Snake@1.0.0", "cargo/serde@1.0", "npm/gpl@9.9.9"]  # fmt: skip
    told = audit(nobody, purls=[f"pkg:{name}" for name in names], license="The MIT License")["licenses"]
    clashes = told.pop("clashes")
    assert "OSADL" in told.pop("source")
    assert told == {"license": "MIT", "fine": 1, "unknown": 4}
    assert [(one["purl"], one["license"], one["answer"]) for one in clashes] == [
        ("pkg:npm/gpl@1.0.0", "GPL-3.0-only", "no"),
        ("pkg:pypi/Snake@1.0.0", "AGPL-3.0-only", "no"),
        ("pkg:npm/lgpl@1.0.0", "LGPL-3.0-only", "check"),
    ]
    assert all(one["explanation"] for one in clashes)
    fitting = audit(nobody, purls=GPL, license="GPL-3.0-or-later OR MIT")["licenses"]
    assert fitting["license"] == "GPL-3.0-or-later OR MIT"


def test_the_license_of_a_private_package_is_told_to_those_who_may_see_it(nobody, cast, stock):  # noqa: F811  # a fixture
    Package.objects.filter(name="gpl").update(visibility="private")
    hidden = audit(nobody, purls=GPL, license="MIT")
    absent = audit(nobody, purls=["pkg:npm/nowhere@1.0.0"], license="MIT")
    assert hidden["licenses"] == absent["licenses"]
    assert hidden["licenses"]["unknown"] == 1
    own = audit(ApiClient(builders.token(cast.alice)), purls=GPL, license="MIT")["licenses"]
    assert ([one["answer"] for one in own["clashes"]], own["unknown"]) == (["no"], 0)


def test_without_a_license_there_is_no_answer_and_one_that_is_none_is_refused(nobody, stock):  # noqa: F811  # a fixture
    assert audit(nobody, purls=GPL)["licenses"] is None
    for refused in ("whatever you like", "SEE LICENSE IN COPYING", "M" * 257, "", None):
        assert list(audit(nobody, 400, purls=GPL, license=refused)["details"]) == ["license"]


@pytest.mark.parametrize(
    ("text", "license", "clashing"),
    [
        (lock(license="MIT"), "MIT", 1),
        (lock(license={"type": "Apache 2"}), "Apache-2.0", 1),
        (lock(license="GPL-3.0-only"), "GPL-3.0-only", 0),
        (lock(license="SEE LICENSE IN COPYING"), "SEE LICENSE IN COPYING", None),
        (lock(license=["MIT"]), "", None),
        (lock(license="M" * 257), "", None),
        (bom([{"license": {"id": "MIT"}}]), "MIT", 1),
        (bom([{"license": {"name": "New BSD License"}}]), "BSD-3-Clause", 1),
        (bom([{"expression": "MIT OR GPL-3.0-only"}]), "MIT OR GPL-3.0-only", 0),
        (bom([{"license": {"id": "MIT"}}, {"license": {"id": "GPL-3.0-only"}}]), "", None),
        (bom([7]), "", None),
        (bom({"license": {"id": 7}}), "", None),
    ],
)
def test_what_a_lockfile_names_counts_where_the_question_names_nothing(nobody, stock, text, license, clashing):  # noqa: F811  # a fixture
    told = audit(nobody, lockfile=text)["licenses"]
    assert (told["license"] if told else "") == license
    if told:
        assert len(told["clashes"]) == (clashing or 0)
        assert told["unknown"] == (1 if clashing is None else 0)
    asked = audit(nobody, lockfile=text, license="ISC")["licenses"]
    assert (asked["license"], len(asked["clashes"])) == ("ISC", 1)


def test_thousands_of_packages_of_several_ecosystems_cost_a_few_queries(nobody, cast):  # noqa: F811  # a fixture
    numbers = {}
    for count in (10, 2_500):
        packages = [
            Package(project=cast.acme, ecosystem=slug, name=f"p{count}-{number}", normalized=f"p{count}-{number}")
            for slug in ("npm", "pypi")
            for number in range(count)
        ]
        made = Package.objects.bulk_create(packages)
        fields = {"version": "1.0.0", "canonical": "1.0.0", "status": "approved", "origin": "published"}
        Release.objects.bulk_create(
            Release(package=one, project=cast.acme, license="GPL-3.0-only", **{**fields, "canonical": canonical})
            for one in made
            for canonical in ["1" if one.ecosystem == "pypi" else "1.0.0"]
        )
        asked = [{"ecosystem": one.ecosystem, "name": one.name, "version": "1.0.0"} for one in made]
        spent = {}
        for more in ({}, {"license": "MIT"}):
            with CaptureQueriesContext(connection) as seen:
                told = audit(nobody, packages=asked, **more)["licenses"]
            spent[bool(more)] = len(seen)
        assert len(told["clashes"]) == 2 * count
        numbers[count] = spent[True] - spent[False]
    assert numbers[10] <= 1 + 2 * 2  # what is newer than what ships; versions and checks of each ecosystem
    assert numbers[2_500] == 1 + 2 * 2 * 7  # the same for each 400 of them


def test_the_page_shows_clashes_in_a_table_and_keeps_the_license(client, stock):
    file = SimpleUploadedFile("package-lock.json", lock(license="ISC").encode())
    page = client.post("/audit", {"file": file, "license": "MIT"}).content.decode()
    assert "Taken into a work under MIT:" in page
    assert "<strong>1</strong> clash" in page
    assert 'value="MIT"' in page
    assert "Software under a copyleft license such as the GPL-3.0-only" in page
    alone = client.post("/audit", {"text": lock(license="ISC")}).content.decode()
    assert "Taken into a work under ISC:" in alone
    assert "Taken into" not in client.post("/audit", {"text": lock()}).content.decode()
    refused = client.post("/audit", {"text": lock(), "license": "<b>nothing"})
    assert refused.status_code == 400
    assert "“&lt;b&gt;nothing” names no license" in refused.content.decode()
