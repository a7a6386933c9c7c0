"""Every page, for everybody: axe-core finds no violation of WCAG 2.1 AA, in light and in dark, wide and narrow."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts import web_login
from licensing import keys
from registry import counting
from registry.models import Release
from registry.webhooks import announcing
from registry.webhooks.models import Webhook
from scanning import figures, running
from scanning.models import Advisory
from tests import builders
from tests.scanning.conftest import load, osv, rated
from tests.upstreams import pages as upstream_pages
from tests.web.watching import PACKAGE, PATHS, open_page

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
TAGS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
ALL = {"runOnly": TAGS}
# The dark scheme changes colours and nothing else; a narrow window changes everything else.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
SHAPES = {"runOnly": TAGS, "rules": {"color-contrast": {"enabled": False}}}
OF_A_PERSON = ["/profile/tokens", "/profile/keys", "/profile/projects", "/profile/security"]
OF_A_PERSON += ["/profile/security/second-factor", "/profile/notices", "/profile/projects/acme/webhooks"]
OF_A_PERSON += ["/profile/projects/acme/license-keys", "/profile/projects/acme/pipelines"]
SCANNING = ("/admin/security/", "/admin/scanning/scanpolicy/", "/admin/scanning/waiver/add/")


@pytest.fixture
def webhook(acme) -> str:
    """The page of a webhook that was told something."""
    hook = Webhook.objects.create(project=acme, url="https://receiver.example/")
    announcing.announce_test(hook)
    return f"/profile/webhooks/{hook.pk}"


@pytest.fixture
def sold_key(acme, alice) -> str:
    """The page of a key with meta and a limit."""
    builders.package(acme, "@acme/secret", visibility="private")
    wanted = keys.Wanted(("@acme/secret",), "version", range="<3.0.0", meta={"customer": "C-17"})
    return f"/profile/license-keys/{keys.create(wanted, builders.actor(alice)).pk}"


@pytest.fixture
def terminal(db) -> str:
    """The page that asks whether a terminal may be signed in."""
    row, _secret = web_login.begin("192.0.2.1", "npm/11.19.1 node/v20.20.2 linux x64", "acme")
    return f"/sign-in/terminal/{row.pk}"


@pytest.fixture
def recalled(left_pad, alice) -> str:
    """Left-pad, once an advisory is about it; where the admin recalls it from those who took it."""
    load(osv(**rated("LOW")))
    running.scan(left_pad)
    figures.keep()
    counting.count(left_pad, builders.actor(alice))
    return f"/admin/scanning/advisory/{Advisory.objects.get().pk}/recall/"


def faults_of(page, rules=ALL) -> list[str]:
    """What axe objects to, with the first place of each."""
    found = Axe().run(page, options={**rules, "resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {one['help']} at {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize(
    ("scheme", "width", "rules"), [("light", 1280, ALL), ("dark", 1280, COLOURS), ("light", 390, SHAPES)]
)
def test_the_catalogue_and_the_profile_have_no_violation(
    browser, live_server, recalled, alice, webhook, sold_key, terminal, scheme, width, rules
):
    watched = open_page(browser, live_server, alice, color_scheme=scheme, viewport={"width": width, "height": 844})
    found = {
        path: faults
        for path in [*PATHS, *OF_A_PERSON, webhook, sold_key, terminal]
        if (faults := faults_of(watched.go(path), rules))
    }
    assert found == {}


@pytest.mark.parametrize(("scheme", "rules"), [("light", ALL), ("dark", COLOURS)])
def test_signing_in_and_being_lost_have_no_violation(browser, live_server, db, scheme, rules):
    watched = open_page(browser, live_server, color_scheme=scheme)
    found = {path: faults for path in ["/sign-in", "/not/here"] if (faults := faults_of(watched.go(path), rules))}
    assert found == {}


@pytest.mark.parametrize(("scheme", "rules"), [("light", ALL), ("dark", COLOURS)])
def test_the_queue_and_the_review_have_no_violation(browser, live_server, recalled, cast, bob, scheme, rules):
    pulling = upstream_pages.made(cast)
    watched = open_page(browser, live_server, bob, color_scheme=scheme, viewport={"width": 1280, "height": 800})
    review = f"/admin/review/{Release.objects.latest('pk').pk}/"
    waive = f"{PACKAGE}/versions/1.0.0/waive?finding=GHSA-0000&package=left-pad&version=1.0.0"
    paths = ["/admin/", review, recalled, waive, *SCANNING, *pulling.values()]
    found = {path: faults for path in paths if (faults := faults_of(watched.go(path), rules))}
    assert found == {}
