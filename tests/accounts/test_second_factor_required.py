"""Where MFA_REQUIRED_ROLES names a role, a session without a second factor is worth no more than a developer's."""

import os
import subprocess
import sys
from urllib.parse import unquote

import pytest
from django.test import Client

from accounts import tokens
from accounts.actors import SYSTEM
from accounts.errors import Forbidden
from accounts.models import ApiToken
from registry.models import Release
from tests import builders
from tests.accounts.test_second_factor import SET_UP, set_up, with_password
from tests.accounts.walking_to_github import signed_in
from tests.builders import actor, bearer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def required(settings) -> None:
    settings.MFA_REQUIRED_ROLES = ["maintainer", "admin"]


@pytest.fixture
def release(cast, tmp_path) -> Release:
    return builders.release(builders.package(cast.elsewhere, "left-pad", visibility="private"), status="pending")


@pytest.mark.parametrize("name", ["bob", "root"])
def test_the_admin_leads_to_setting_one_up_and_opens_then(cast, name):
    browser = signed_in(getattr(cast, name))
    page = browser.get("/admin/", follow=True)
    assert unquote(page.redirect_chain[-1][0]) == f"{SET_UP}?next=/admin/"
    assert "only with a second factor" in page.content.decode()
    for path in ("/admin/tables/", "/admin/accounts/user/", "/admin/registry/release/"):
        assert browser.get(path).status_code == 302, path
    codes = browser.post(SET_UP, {"code": "00000x", "next": "/admin/"}).content.decode()
    assert 'name="next" value="/admin/"' in codes
    set_up(browser)
    assert browser.get("/admin/").status_code == 200


def test_a_write_in_the_admin_is_refused_and_noted(cast, release):
    browser = signed_in(cast.bob)
    answer = browser.post(f"/admin/review/{release.pk}/decide/", {"decision": "approve", "reason": "no"})
    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")
    release.refresh_from_db()
    assert release.status == "pending"


def test_the_api_says_by_session_what_is_missing(cast, release):
    browser = signed_in(cast.bob)
    path = "/api/v1/packages/left-pad/versions/1.0.0/approve"
    answer = browser.post(path, {"reason": "seen"}, content_type="application/json")
    assert answer.status_code == 403, answer.json()
    assert "only with a second factor" in answer.json()["error"]
    assert browser.get("/api/v1/packages/left-pad").status_code == 404, "what is others' is hidden, too"
    with pytest.raises(Forbidden, match="only with a second factor") as refusal:
        actor(cast.bob).need("review")
    assert refusal.value.code == "second_factor_missing"
    with pytest.raises(Forbidden, match="only with a second factor"):
        actor(cast.root).need("admin")
    actor(cast.root).need("publish")


@pytest.mark.parametrize(("name", "scope"), [("bob", "review"), ("root", "review"), ("root", "admin")])
def test_no_token_with_the_roles_scopes_can_be_made_before(cast, name, scope):
    browser = signed_in(getattr(cast, name))
    answer = browser.post("/api/v1/tokens", {"name": "CI", "scopes": [scope]}, content_type="application/json")
    assert answer.status_code == 403
    assert "only with a second factor" in answer.json()["error"]
    assert f'value="{scope}"' not in browser.get("/profile/tokens").content.decode()
    browser.post("/profile/tokens", {"name": "CI", "scopes": [scope], "days": "30"})
    assert not ApiToken.objects.exists()
    assert browser.post("/profile/tokens", {"name": "CI", "scopes": ["read"], "days": "30"}).status_code == 200
    set_up(browser)
    answer = browser.post("/api/v1/tokens", {"name": "CI", "scopes": [scope]}, content_type="application/json")
    assert answer.status_code == 201


def test_no_token_reaches_projects_that_only_the_role_opens(cast):
    with pytest.raises(Forbidden):
        tokens.issue(cast.root, "CI", ["read"], project=cast.acme, actor=actor(cast.root))
    own = cast.root.default_project
    assert tokens.issue(cast.root, "CI", ["read"], project=own, actor=actor(cast.root))


def test_a_token_from_before_works_and_has_no_successor_until_then(cast, settings):
    settings.MFA_REQUIRED_ROLES = []
    raw = builders.token(cast.bob, "review")
    settings.MFA_REQUIRED_ROLES = ["maintainer"]
    assert Client().get("/api/v1/me", headers=bearer(raw)).status_code == 200
    token = tokens.resolve(raw)
    with pytest.raises(Forbidden, match="second factor"):
        tokens.rotate(token, 1, actor(cast.bob))
    tokens.rotate(token, 1, SYSTEM)
    tokens.revoke(token, actor(cast.bob))


def test_developers_and_roles_not_named_are_asked_for_nothing(cast, settings):
    settings.MFA_REQUIRED_ROLES = ["admin"]
    assert signed_in(cast.bob).get("/admin/").status_code == 200
    assert signed_in(cast.root).get("/admin/").status_code == 302
    assert signed_in(cast.alice).get("/profile/security").status_code == 200
    assert "Your role asks for one" in signed_in(cast.root).get("/profile/security").content.decode()


def test_switching_off_takes_the_role_away_again(cast):
    browser = signed_in(cast.bob)
    phone, _ = set_up(browser)
    browser.post(SET_UP + "/off", {"code": phone.shows()})
    assert browser.get("/admin/").status_code == 302
    _, answer = with_password("bob", "/admin/login/", next="/admin/")
    assert answer.url == "/admin/"


@pytest.mark.once
def test_a_role_that_there_is_not_stops_the_portal_from_starting(tmp_path):
    environment = {**os.environ, "MFA_REQUIRED_ROLES": "maintainer,admn", "DATA_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    run = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode != 0
    assert "MFA_REQUIRED_ROLES" in run.stderr
