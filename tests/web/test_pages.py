"""The pages of the catalogue: what they say to whom, and at what cost."""

import gzip
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from registry import documents, ecosystems
from registry.models import Check, Decision, DownloadCount, Package, Release
from tests import builders

README = "# Left pad\n\nPads. <script>alert(1)</script>\n\n[site](javascript:alert(1))\n"
PACKAGE = "/packages/npm/left-pad"
TABS = ["readme", "versions", "dependencies", "security", "files", "activity"]


@pytest.fixture
def left_pad(alice, tmp_path):
    """left-pad 1.0.0, published, signed, checked and approved by policy."""
    archive = builders.npm_tarball(
        files={"README.md": README},
        dependencies={"pad": "^1.0.0", "@acme-utils/core": "~2.1"},
        homepage="javascript:alert(1)",
        repository="git+https://code.example.org/left-pad.git",
        keywords=["string", "<b>pad</b>"],
    )
    return builders.published(alice, builders.key_pair(tmp_path), archive)


def page(client, path, status=200, **headers):
    answer = client.get(path, headers={"Accept": "text/html", **headers})
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def queries(client, path):
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(path).status_code == 200
    return len(caught)


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


# --- home ----------------------------------------------------------------------------------------------------------
def test_home_shows_counts_categories_and_what_is_new(client, left_pad):
    words = text_of(page(client, "/"))
    assert "1 package " in words
    assert "left-pad" in words
    assert "No version has been rejected or quarantined." in words


def test_an_empty_portal_says_what_to_do(client, db):
    assert "Submit a package" in page(client, "/")
    assert "Submit the first one" in page(client, "/packages")


# --- list ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def shelf(acme):
    for number in range(45):
        package = builders.package(acme, f"thing-{number:02}", description="A thing", category="WEB")
        release = builders.release(package, "1.0.0", "approved" if number % 3 else "pending")
        Check.objects.create(release=release, name="vulnerabilities", status="failed", details={"high": 2})
        DownloadCount.objects.create(package=package, release=release, day=timezone.now().date(), count=3)
        documents.rebuild(package)


def test_the_list_pages_and_the_address_carries_everything(client, shelf):
    html = page(client, "/packages?search=thing&category=WEB&ordering=name&page=2")
    assert "21–40 of 45" in html
    assert "page=3" in html
    assert "category=WEB" in html
    assert "thing-20" in html
    assert "thing-19<" not in html.replace("<wbr>", "")
    assert "2 high" in text_of(html)


def test_a_page_beyond_the_last_is_the_last(client, shelf):
    for wrong in ("99", "0", "-1", "x", "9" * 30):
        assert "thing" in page(client, f"/packages?page={wrong}")


def test_a_filter_that_does_not_exist_is_left_out_with_a_word(client, shelf):
    words = text_of(page(client, "/packages?status=nonsense&search=thing"))
    assert "That filter was left out." in words
    assert "Results for “thing” 45" in words


def test_facets_link_to_the_same_search_narrowed(client, shelf):
    html = page(client, "/packages?search=thing&page=2")
    assert 'href="?search=thing&amp;status=pending"' in html
    lifted = page(client, "/packages?search=thing&status=pending")
    assert 'aria-current="true"' in lifted
    assert 'href="?search=thing"' in lifted


def test_the_list_costs_the_same_however_many_rows(client, shelf):
    client.get("/packages")
    assert queries(client, "/packages?status=pending") <= 6
    assert queries(client, "/packages") <= 6
    assert queries(client, "/packages?search=thing") <= 10


def test_nothing_found_leads_on(client, shelf):
    html = page(client, "/packages?search=no-such-thing")
    assert "/submit?name=no-such-thing" in html
    assert "Lift all filters" in page(client, "/packages?search=no-such-thing&status=pending")


@pytest.mark.parametrize("text", ["%00", "%22", "*", "%F0%9F%A6%80", "a" * 5_000, "%ED%A0%80"])
def test_hostile_search_texts_are_answered(client, shelf, text):
    page(client, f"/packages?search={text}&license={text}&ordering={text}&category={text}")


# --- package -------------------------------------------------------------------------------------------------------
def test_a_package_says_whether_it_may_be_used_and_how_it_is_installed(client, left_pad):
    html = page(client, PACKAGE).replace("<wbr>", "")
    words = text_of(html)
    assert "You may use this version." in words
    assert "Approved by policy" in words
    file = "http://testserver/api/v1/packages/left-pad/versions/1.0.0/files/left-pad-1.0.0.tgz"
    for command in (f"npm install {file}", f"pnpm add {file}", f"yarn add left-pad@{file}"):
        assert command in words
    assert "What it depends on, your client takes from the registry" in words
    assert "signed" in words
    assert "MIT" in words


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_stands_at_its_own_address(client, left_pad, tab):
    html = page(client, f"{PACKAGE}?tab={tab}")
    assert html.count('aria-current="page"') == 1


def test_an_unknown_tab_is_the_readme(client, left_pad):
    assert "Pads." in page(client, f"{PACKAGE}?tab=nonsense")


def test_nothing_that_a_package_states_becomes_markup_or_a_hostile_link(client, left_pad):
    for tab in TABS:
        html = page(client, f"{PACKAGE}?tab={tab}")
        assert "<script>alert" not in html
        assert 'javascript:alert(1)"' not in html
        assert "<b>pad" not in html
    assert 'href="https://code.example.org/left-pad' in page(client, PACKAGE)


def test_dependencies_that_are_not_here_can_be_asked_for(client, left_pad):
    html = page(client, f"{PACKAGE}?tab=dependencies")
    assert "/submit?ecosystem=npm&amp;name=%40acme-utils/core" in html or "name=@acme-utils/core" in html


def test_the_tree_marks_clashes_cycles_and_what_is_not_held(client, acme):
    def stand(name, version, *needs):
        package = Package.objects.filter(name=name).first() or builders.package(acme, name)
        release = builders.release(package, version)
        for need, wanted in needs:
            release.dependencies.create(ecosystem="npm", name=need, normalized=need, range=wanted)
        documents.rebuild(package)

    stand("leaf", "1.0.0")
    stand("leaf", "2.0.0")
    stand("branch", "1.0.0", ("leaf", "^1.0.0"), ("root-pkg", "*"), ("missing", "^1"))
    stand("root-pkg", "1.0.0", ("branch", "^1.0.0"), ("leaf", "^2.0.0"))
    words = text_of(page(client, "/packages/npm/root-pkg?tab=dependencies"))
    assert "Some packages are needed in more than one version: leaf 1.0.0, 2.0.0" in words
    assert "1 range is satisfied by no approved version here." in words
    for mark in ("clash", "circular", "not approved here"):
        assert mark in words
    assert "Packages here that use it branch" in words


def test_files_name_the_signer_and_how_to_verify(client, left_pad):
    words = text_of(page(client, f"{PACKAGE}?tab=files"))
    assert "by alice" in words
    assert "ssh-keygen -Y check-novalidate -n codesync" in words
    assert "package/index.js" in words.replace(" ", "").replace("package/", "package/")


def test_a_held_package_says_why_and_what_to_do(client, alice):
    release = builders.submitted(alice, "is-odd", "3.0.1", note="For the parity service.")
    html = page(client, "/packages/npm/is-odd")
    words = text_of(html)
    assert "Not approved yet." in words
    assert "npm install" not in words
    assert "ask a maintainer" in words
    assert release.version in words


def test_a_readme_that_nobody_approved_is_for_those_who_review_or_own_it(client, alice, bob, mallory, tmp_path):
    archive = builders.npm_tarball(files={"README.md": "# Trust me\n\nRun this at once.\n"})
    release = builders.published(alice, builders.key_pair(tmp_path), archive, checks=False)
    for reader, sees in (
        (client, False),
        (signed_in(mallory), False),
        (signed_in(alice), True),
        (signed_in(bob), True),
    ):
        words = text_of(page(reader, PACKAGE))
        assert ("Run this at once." in words) is sees
        assert ("nobody vouches for what its README says" in words) is not sees
    Release.objects.filter(pk=release.pk).update(status="approved")
    assert "Run this at once." in text_of(page(client, PACKAGE))


def test_the_admin_is_found_without_its_slash(client, db):
    answer = client.get("/admin")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_private_packages_do_not_exist_for_strangers(alice, bob, mallory, tmp_path):
    builders.published(alice, builders.key_pair(tmp_path), access="private")
    assert "left-pad" in page(signed_in(alice), PACKAGE)
    assert "private" in page(signed_in(bob), PACKAGE)
    for stranger in (Client(), signed_in(mallory)):
        for path in (PACKAGE, f"{PACKAGE}/versions/1.0.0"):
            page(stranger, path, 404)
        assert "left-pad" not in page(stranger, "/")
        assert "left-pad" not in page(stranger, "/packages")


def test_scoped_and_odd_names_have_pages(client, acme):
    for name, ecosystem, version in (
        ("@acme-utils/core", "npm", "1.0.0+build.1"),
        ("library/nginx", "docker", "1.27-alpine"),
        ("org.example:thing", "maven", "1.0.RC1"),
        ("thing", "pypi", "1!2.0+local.1"),
    ):
        package = builders.package(acme, name, ecosystem)
        builders.release(package, version, canonical=ecosystems.get(ecosystem).canonical_version(version))
        documents.rebuild(package)
        address = reverse("package", kwargs={"ecosystem": ecosystem, "name": name})
        assert version in page(client, address)
        assert "Decision record" in page(client, f"{address}/versions/{version}")
    assert "core" in page(client, "/packages/npm/@acme-utils%2Fcore")


def test_unknown_packages_versions_and_ecosystems_are_not_found_but_lead_on(client, left_pad):
    assert "Submit a package" in page(client, "/packages/npm/nothing", 404)
    page(client, f"{PACKAGE}/versions/9.9.9", 404)
    assert "Known are" in page(client, "/packages/cargo/left-pad", 400)


def test_unlisted_and_removed_versions_say_so(client, left_pad):
    left_pad.unlisted_at = timezone.now()
    left_pad.purge_at = timezone.now() + timedelta(hours=24)
    left_pad.save()
    documents.rebuild(left_pad.package)
    assert "This version is unlisted." in page(client, PACKAGE)
    left_pad.purged_at = timezone.now()
    left_pad.save()
    documents.rebuild(left_pad.package)
    assert "This version was removed." in page(client, PACKAGE)
    assert "This version was removed." in page(client, f"{PACKAGE}/versions/1.0.0")


@pytest.mark.parametrize("tab", TABS)
def test_a_package_page_costs_the_same_however_many_versions(client, acme, tab):
    few, many = builders.package(acme, "few"), builders.package(acme, "many")
    for package, count in ((few, 1), (many, 40)):
        for number in range(count):
            release = builders.release(package, f"1.{number}.0")
            Decision.objects.create(release=release, answer="approved", by_name="bob", pseudonym="x")
            Check.objects.create(release=release, name="vulnerabilities", status="passed")
            release.dependencies.create(ecosystem="npm", name=f"need-{number}", normalized=f"need-{number}")
        documents.rebuild(package)
    client.get(f"/packages/npm/few?tab={tab}")
    costs = [queries(client, f"/packages/npm/{name}?tab={tab}") for name in ("few", "many")]
    assert costs[0] == costs[1]
    assert costs[0] <= 20


# --- version -------------------------------------------------------------------------------------------------------
def test_a_version_shows_its_decision_record(client, left_pad):
    html = page(client, f"{PACKAGE}/versions/1.0.0")
    words = text_of(html)
    assert left_pad.sha256 in html
    for word in ("Verdict by verdict", "As it stood when policy decided", "archive", "integrity", "vulnerabilities"):
        assert word in words
    assert "/api/v1/packages/left-pad/versions/1.0.0/files/left-pad-1.0.0.tgz?ecosystem=npm" in html
    assert "/api/v1/packages/left-pad/versions/1.0.0/signature" in html


def test_a_dist_tag_leads_to_its_version(client, left_pad):
    assert "1.0.0" in page(client, f"{PACKAGE}/versions/latest")


def test_a_version_shows_what_changed_since_the_approved_one_before(client, alice, left_pad, tmp_path):
    (tmp_path / "second").mkdir()
    builders.published(
        alice,
        builders.key_pair(tmp_path / "second"),
        builders.npm_tarball(version="1.1.0", files={"new.js": "1"}, dependencies={"pad": "^2.0.0"}),
    )
    words = text_of(page(client, f"{PACKAGE}/versions/1.1.0"))
    assert "What changed since 1.0.0" in words
    assert "^2.0.0" in words
    assert "1 added" in words


def test_a_version_with_open_checks_shows_real_progress(client, alice, tmp_path):
    builders.published(alice, builders.key_pair(tmp_path), checks=False)
    html = page(client, f"{PACKAGE}/versions/1.0.0")
    assert "0 of 8 checks done" in html
    assert "data-refresh" in html


def test_only_maintainers_are_offered_to_review(client, alice, bob, left_pad):
    path = f"{PACKAGE}/versions/1.0.0"
    assert "Review it" not in page(signed_in(alice), path)
    assert "Review it" in page(signed_in(bob), path)


# --- every page ----------------------------------------------------------------------------------------------------
EVERY_PAGE = ["/", "/packages", "/packages?search=pad", PACKAGE, f"{PACKAGE}?tab=files", f"{PACKAGE}/versions/1.0.0"]
EVERY_PAGE += ["/submit", "/profile"]


def test_no_page_carries_inline_script_or_style(alice, left_pad):
    client = signed_in(alice)
    for path in EVERY_PAGE:
        html = page(client, path)
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), path
        assert not re.search(r"<[^>]+\s(style|on\w+)=", html), path
        assert "<style" not in html, path


def test_every_page_has_one_heading_a_title_and_a_way_past_the_menu(alice, left_pad):
    client = signed_in(alice)
    for path in EVERY_PAGE:
        html = page(client, path)
        assert html.count("<h1") == 1, path
        assert 'href="#main"' in html, path
        assert re.search(r"<title>[^<]+ · CodeSync Registry</title>", html), path
        identities = re.findall(r'\sid="([^"]+)"', html)
        assert len(identities) == len(set(identities)), path


def test_a_first_visit_weighs_less_than_a_hundred_kilobytes(alice, left_pad, settings):
    """Page, styles, scripts and icon together, uncompressed."""
    client = signed_in(alice)
    for path in EVERY_PAGE:
        html = page(client, path)
        files = set(re.findall(r'(?:href|src)="/?static/([^"]+)"', html))
        weight = len(html) + sum((settings.BASE_DIR / "static" / name).stat().st_size for name in files)
        assert weight < 100_000, (path, weight)
        assert len(gzip.compress(html.encode())) < 30_000


def test_error_pages_are_designed_and_the_last_one_needs_nothing(client, db, rf):
    from accounts.api import errors

    html = page(client, "/no/such/page", 404)
    assert "There is nothing here" in html
    assert "Search packages" in html
    answer = errors.server_error(rf.get("/"))
    assert "Something broke on our side" in answer.content.decode()
