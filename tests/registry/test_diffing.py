"""What changed since the approved version before: manifest, dependencies and files."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import diffing
from registry.models import Dependency, Release
from tests import builders
from tests.admin import queue_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def package(acme):
    return builders.package(acme, "thing")


def standing(package, *versions: str, status: str = "approved") -> dict[str, Release]:
    return {version: queue_rows.waiting(package, version, status=status) for version in versions}


@pytest.mark.parametrize(
    ("approved", "version", "previous"),
    [
        (["1.0.0", "1.2.0", "1.10.0"], "1.11.0", "1.10.0"),
        (["1.2.0", "2.0.0"], "1.2.1", "1.2.0"),
        (["2.0.0", "3.0.0"], "1.0.0", "2.0.0"),
        (["1.0.0-rc.1", "0.9.0"], "1.0.0", "1.0.0-rc.1"),
    ],
)
def test_a_release_is_compared_with_the_approved_version_below_it(package, approved, version, previous):
    standing(package, *approved)
    release = queue_rows.waiting(package, version)
    found = diffing.previous_approved(release)
    assert found is not None
    assert found.version == previous


def test_what_was_never_approved_is_nothing_to_compare_with(package):
    standing(package, "1.0.0", status="rejected")
    standing(package, "1.0.1", status="pending")
    release = queue_rows.waiting(package, "1.0.2")
    queue_rows.depends(release, lodash="^4")
    diff = diffing.compare(release)
    assert diff.previous is None
    assert [edge.name for edge in diff.dependencies_added] == ["lodash"]


def test_dependencies_come_go_and_change(cast):
    diff = diffing.compare(queue_rows.troubled(cast))
    assert [edge.name for edge in diff.dependencies_added] == ["node-fetch"]
    assert [edge.name for edge in diff.dependencies_removed] == ["request"]
    assert diff.dependencies_changed == (diffing.Change("lodash", "^4.17.20", "^4.17.15"),)


def test_one_name_in_two_kinds_is_two_dependencies(package):
    before, after = standing(package, "1.0.0")["1.0.0"], queue_rows.waiting(package, "1.1.0")
    queue_rows.depends(before, react="^17")
    queue_rows.depends(after, react="^17")
    Dependency.objects.create(release=after, ecosystem="npm", name="react", normalized="react", range="*", kind="peer")
    diff = diffing.compare(after)
    assert [(edge.name, edge.kind) for edge in diff.dependencies_added] == [("react", "peer")]


def test_install_scripts_lead_the_changes_of_the_manifest(cast):
    diff = diffing.compare(queue_rows.troubled(cast))
    first, *others = diff.manifest
    assert (first.field, first.kind, first.after) == (
        "install script postinstall", "added", "sh bin/setup.sh --quiet",
    )  # fmt: skip
    assert [(one.field, one.before, one.after) for one in others] == [
        ("bin.acme", "", "bin/setup.sh"),
        ("engines.node", ">=16", ">=18"),
    ]


def test_files_come_go_and_change(cast):
    diff = diffing.compare(queue_rows.troubled(cast))
    assert [(file.path, file.executable) for file in diff.files_added] == [("package/bin/setup.sh", True)]
    assert [file.path for file in diff.files_removed] == ["package/lib/old.js"]
    assert [(file.path, file.grown) for file in diff.files_changed] == [
        ("package/index.js", 162), ("package/package.json", 62),
    ]  # fmt: skip
    assert diff.files_same == 1


def test_the_version_in_a_folders_name_is_no_difference(acme):
    package = builders.package(acme, "demo", "pypi")
    same = "a" * 64
    for version in ("1.0", "1.1"):
        files = [(f"demo-{version}/setup.py", 10, same, False), (f"demo-{version}/PKG-INFO", 5, version * 20, False)]
        release = queue_rows.waiting(package, version, status="approved", files=files)
    diff = diffing.compare(release)
    assert (diff.files_added, diff.files_removed, diff.files_same) == ((), (), 1)
    assert [file.path for file in diff.files_changed] == ["demo-…/PKG-INFO"]


def test_equal_releases_do_not_differ(package):
    standing(package, "1.0.0")
    diff = diffing.compare(queue_rows.waiting(package, "1.0.1"))
    assert diff.previous is not None
    assert diff.is_empty


def test_a_real_publication_is_compared_with_the_one_before(publish):
    publish(builders.npm_tarball("thing", "1.0.0", {"lib/a.js": "1"}, dependencies={"lodash": "^4.0.0"}))
    second = publish(
        builders.npm_tarball(
            "thing", "1.1.0", {"lib/b.js": "2"}, dependencies={"lodash": "^4.1.0"}, scripts={"postinstall": "node x"}
        )
    )
    diff = diffing.compare(second)
    assert diff.previous is not None
    assert diff.previous.version == "1.0.0"
    assert [file.path for file in diff.files_added] == ["package/lib/b.js"]
    assert [file.path for file in diff.files_removed] == ["package/lib/a.js"]
    assert diff.dependencies_changed == (diffing.Change("lodash", "^4.0.0", "^4.1.0"),)
    assert diff.manifest[0].field == "install script postinstall"


def test_comparing_costs_the_same_queries_however_much_there_is(cast):
    def queries(release: Release) -> int:
        release = Release.objects.select_related("package").get(pk=release.pk)
        with CaptureQueriesContext(connection) as captured:
            diffing.compare(release)
        return len(captured)

    release = queue_rows.troubled(cast)
    few = queries(release)
    standing(release.package, *(f"0.{number}.0" for number in range(20)))
    queue_rows.depends(release, **{f"dep_{number}": "*" for number in range(30)})
    assert queries(release) == few == 7
