"""Sign-in and the profile pages, as a browser without JavaScript sees them."""

import re
import subprocess
import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import signing_keys, tokens
from accounts.models import ApiToken, AuditEvent, Membership, Project, SigningKey
from accounts.models.tokens import SCOPES
from accounts.web.forms import SCOPE_WORDS
from tests.accounts.ssh_wire import Ed25519
from tests.builders import PASSWORD, actor, key_pair, token


@pytest.fixture
def browser(cast) -> Client:
    """Alice, signed in through the form, with CSRF checked as in production."""
    client = Client(enforce_csrf_checks=True)
    submit(client, "/sign-in", username="alice", password=PASSWORD)
    return client


def submit(client: Client, page: str, action: str = "", **fields):
    """Open the page, fill in the form, press the button."""
    shown = client.get(page)
    secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.content.decode())
    data = {"csrfmiddlewaretoken": secret[1] if secret else "", **fields}
    return client.post(action or page, data, HTTP_REFERER="http://testserver" + page)


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# --- signing in ---------------------------------------------------------------------------------------------------


def test_signing_in_and_out_is_possible_and_noted(browser, alice):
    assert browser.get("/profile/tokens").status_code == 200
    opened = AuditEvent.objects.get(action="session.opened")
    assert (opened.actor, opened.address) == (str(alice.pseudonym), "127.0.0.0/24")
    assert submit(browser, "/profile/tokens", "/sign-out").status_code == 302
    assert browser.get("/profile/tokens").status_code == 302


def test_signing_out_takes_a_post(browser):
    assert browser.get("/sign-out").status_code == 405


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(cast):
    answers = []
    for name in ("alice", "nobody-at-all"):
        response = submit(Client(enforce_csrf_checks=True), "/sign-in", username=name, password="wrong")
        answers.append((response.status_code, text(response)))
        assert "is wrong" in text(response)
    assert answers[0] == answers[1]
    refused = AuditEvent.objects.filter(action="session.refused", outcome="refused").order_by("seq")
    assert [event.object for event in refused] == [f"user:{cast.alice.pseudonym}", "user:unknown"]
    assert "nobody-at-all" not in str(list(AuditEvent.objects.values()))


def test_an_inactive_user_gets_that_answer_too(cast):
    cast.alice.is_active = False
    cast.alice.save()
    response = submit(Client(), "/sign-in", username="alice", password=PASSWORD)
    assert "is wrong" in text(response)


def test_many_wrong_tries_close_the_door_even_to_the_right_password(cast):
    for _ in range(10):
        submit(Client(), "/sign-in", username="alice", password="wrong")
    refused = submit(Client(), "/sign-in", username="alice", password=PASSWORD)
    assert "wait a quarter of an hour" in text(refused)
    assert submit(Client(), "/sign-in", username="mallory", password=PASSWORD).status_code == 302
    with time_machine.travel(time.time() + 15 * 60):
        assert submit(Client(), "/sign-in", username="alice", password=PASSWORD).status_code == 302


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"])
def test_signing_in_never_leads_to_another_site(cast, target):
    response = submit(Client(), "/sign-in", username="alice", password=PASSWORD, next=target)
    assert response["Location"] == "/"


def test_a_stranger_is_sent_to_sign_in_and_back(db, cast):
    client = Client()
    response = client.get("/profile/keys")
    assert response["Location"] == "/sign-in?next=%2Fprofile%2Fkeys"
    response = submit(
        client, response["Location"], "/sign-in", username="alice", password=PASSWORD, next="/profile/keys"
    )
    assert response["Location"] == "/profile/keys"


def test_a_token_opens_no_profile_page(cast):
    headers = {"Authorization": f"Bearer {token(cast.alice, 'read')}"}
    assert Client().get("/profile/tokens", headers=headers)["Location"].startswith("/sign-in")


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/sign-in"])
def test_the_sign_in_page_costs_an_anonymous_reader_no_query(django_assert_num_queries, page):
    with django_assert_num_queries(0):
        assert Client().get(page).status_code == 200


@pytest.mark.parametrize("field", ["username", "password"])
def test_odd_characters_in_the_form_are_no_server_error(cast, field):
    fields = {"username": "alice", "password": PASSWORD, field: "a\x00b\ud7ff" + "x" * 5000}
    assert submit(Client(), "/sign-in", **fields).status_code == 200


def test_forms_without_the_secret_are_refused(browser):
    for page in ("/profile/tokens", "/profile/keys", "/profile/projects", "/sign-out", "/sign-in"):
        assert browser.post(page, {"name": "x"}).status_code == 403


def test_a_form_without_the_secret_is_answered_in_words(browser):
    refused = browser.post("/profile/tokens", {"name": "x"})
    assert "reload the page" in text(refused)


def test_a_password_is_changed_with_the_old_one_and_other_sessions_end(browser, alice):
    elsewhere = Client()
    elsewhere.force_login(alice)
    new = "another long and unguessable phrase"
    wrong = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert submit(browser, "/profile/password", **wrong).status_code == 400
    weak = {"old_password": PASSWORD, "new_password1": "alice", "new_password2": "alice"}
    assert submit(browser, "/profile/password", **weak).status_code == 400
    right = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert submit(browser, "/profile/password", **right).status_code == 302
    assert browser.get("/profile/tokens").status_code == 200
    assert elsewhere.get("/profile/tokens").status_code == 302
    assert AuditEvent.objects.filter(action="user.password_changed").count() == 1
    assert submit(Client(), "/sign-in", username="alice", password=new).status_code == 302


# --- tokens -------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_works(browser, acme):
    made = submit(browser, "/profile/tokens", name="CI", scopes=["read", "publish"], project="acme", days="30")
    raw = re.findall(r"sk_live_[0-9A-Za-z]{38}", made.content.decode())[0]
    assert "no-store" in made["Cache-Control"]
    found = tokens.resolve(raw)
    assert (found.name, found.scopes, found.project) == ("CI", ["publish", "read"], acme)
    again = browser.get("/profile/tokens")
    assert raw not in again.content.decode()
    assert found.prefix in again.content.decode()


def test_only_the_scopes_of_the_role_are_offered(browser):
    page = browser.get("/profile/tokens").content.decode()
    assert 'value="publish"' in page
    assert 'value="review"' not in page
    refused = submit(browser, "/profile/tokens", name="CI", scopes=["admin"], days="30")
    assert refused.status_code == 400
    assert not ApiToken.objects.exists()


def test_foreign_projects_are_not_offered(browser, cast):
    refused = submit(browser, "/profile/tokens", name="CI", scopes=["read"], project="elsewhere", days="30")
    assert refused.status_code == 400
    assert "elsewhere" not in text(browser.get("/profile/tokens"))


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("scopes", ""), ("days", "400"), ("name", "a\u202eb")])
def test_a_wrong_field_is_named_and_keeps_the_rest(browser, field, value):
    fields = {"name": "CI of the web shop", "scopes": ["read"], "days": "30", field: value}
    refused = submit(browser, "/profile/tokens", **fields)
    assert refused.status_code == 400
    assert 'class="errors"' in refused.content.decode()
    if field != "name":
        assert "CI of the web shop" in refused.content.decode()


def test_a_token_that_ends_soon_is_warned_of_at_the_top_and_in_the_list(browser, alice):
    token(alice, "read", name="fresh")
    token(alice, "read", name="old")
    token(alice, "read", name="rotated")
    now = timezone.now()
    begun, ending = now - timedelta(days=87), now + timedelta(days=3, hours=1)
    ApiToken.objects.exclude(name="fresh").update(created_at=begun, expires_at=ending)
    ApiToken.objects.filter(name="rotated").update(successor=ApiToken.objects.get(name="fresh"))
    shown = text(browser.get("/profile/tokens"))
    assert "A token of yours stops working soon." in shown
    assert f"works until {ending:%-d %b %Y}" in shown
    assert shown.count("3 days") == 2
    assert "a successor has taken over" in shown


def test_a_token_of_a_week_is_not_warned_of_on_its_first_day(browser):
    submit(browser, "/profile/tokens", name="CI", scopes=["read"], days="7")
    assert "stops working soon" not in text(browser.get("/profile/tokens"))


def test_a_token_says_on_which_day_and_from_where_it_was_used(browser, alice):
    raw = token(alice, "read", name="CI")
    assert Client().get("/api/v1/me", headers={"Authorization": f"Bearer {raw}"}).status_code == 200
    shown = text(browser.get("/profile/tokens"))
    assert f"{timezone.now():%-d %b %Y} from 127.0.0.0/24" in shown
    assert "127.0.0.1" not in shown


def test_every_scope_is_explained_in_words(cast):
    client = Client()
    client.force_login(cast.root)
    shown = text(client.get("/profile/tokens"))
    for scope in SCOPES:
        assert str(SCOPE_WORDS[scope]) in shown


def test_a_token_is_revoked_by_a_button(browser, alice):
    raw = token(alice, "read", name="old laptop")
    made = ApiToken.objects.get()
    after = submit(browser, "/profile/tokens", f"/profile/tokens/{made.pk}/revoke")
    assert after.status_code == 302
    assert tokens.resolve(raw) is None
    assert "works no more" in text(browser.get("/profile/tokens"))


def test_nobody_revokes_the_token_of_another(browser, mallory):
    raw = token(mallory, "read")
    refused = submit(browser, "/profile/tokens", f"/profile/tokens/{ApiToken.objects.get().pk}/revoke")
    assert refused.status_code == 404
    assert tokens.resolve(raw) is not None


def test_the_page_of_tokens_takes_as_many_queries_for_one_as_for_many(browser, alice, django_assert_max_num_queries):
    for number in range(12):
        token(alice, "read", name=f"token {number}")
    ApiToken.objects.filter(name__endswith="1").update(expires_at=timezone.now() - timedelta(days=1))
    with django_assert_max_num_queries(7):
        assert "token 7" in text(browser.get("/profile/tokens"))


# --- signing keys -------------------------------------------------------------------------------------------------


def test_a_key_is_added_with_its_fingerprint_and_removed(browser):
    assert submit(browser, "/profile/keys", name="laptop", public_key=Ed25519().line).status_code == 302
    key = SigningKey.objects.get()
    assert key.fingerprint in text(browser.get("/profile/keys"))
    assert submit(browser, "/profile/keys", f"/profile/keys/{key.pk}/remove").status_code == 302
    assert signing_keys.find_live(key.fingerprint) is None
    assert "1 removed key" in text(browser.get("/profile/keys"))


@pytest.mark.once
@pytest.mark.parametrize(("kind", "bits"), [("ed25519", None), ("ecdsa", 521), ("rsa", 3072)])
def test_a_key_is_shown_as_ssh_keygen_shows_it(browser, alice, tmp_path, kind, bits):
    pair = key_pair(tmp_path, kind, bits)
    submit(browser, "/profile/keys", name="laptop of alice", public_key=pair.public)
    public = tmp_path / "renamed.pub"
    public.write_text(f"{SigningKey.objects.get().public_key} laptop of alice\n")
    told = subprocess.run(["ssh-keygen", "-l", "-f", public], capture_output=True, text=True, check=True).stdout
    assert told.strip() in text(browser.get("/profile/keys"))


def test_a_private_key_is_turned_away_with_the_reason(browser):
    pasted = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----"
    refused = submit(browser, "/profile/keys", name="laptop", public_key=pasted)
    assert refused.status_code == 400
    assert "This is a private key" in text(refused)


def test_a_key_of_someone_else_is_a_conflict(browser, mallory):
    signing_keys.register(mallory, "hers", Ed25519().line, actor(mallory))
    refused = submit(browser, "/profile/keys", name="laptop", public_key=Ed25519().line)
    assert "registered by someone else" in text(refused)
    assert "mallory" not in text(refused)


def test_nobody_removes_the_key_of_another(browser, mallory):
    key = signing_keys.register(mallory, "hers", Ed25519().line, actor(mallory))
    assert submit(browser, "/profile/keys", f"/profile/keys/{key.pk}/remove").status_code == 404
    assert signing_keys.find_live(key.fingerprint) is not None


# --- projects -----------------------------------------------------------------------------------------------------


def test_projects_are_listed_with_their_members(browser):
    shown = text(browser.get("/profile/projects"))
    assert "acme" in shown
    assert "bob" in shown
    assert "elsewhere" not in shown
    assert "mallory" not in shown


def test_an_owner_makes_a_project_adds_and_removes_a_member(browser, mallory):
    assert submit(browser, "/profile/projects", slug="web-shop", name="Web shop").status_code == 302
    shop = Project.objects.get(slug="web-shop")
    added = "/profile/projects/web-shop/members"
    assert submit(browser, "/profile/projects", added, username="mallory", role="reader").status_code == 302
    assert shop.memberships.get(user=mallory).role == "reader"
    submit(browser, "/profile/projects", f"{added}/{mallory.pk}/remove")
    assert not shop.memberships.filter(user=mallory).exists()


def test_a_taken_or_odd_slug_is_named(browser):
    for slug in ("acme", "Web Shop"):
        refused = submit(browser, "/profile/projects", slug=slug, name="")
        assert refused.status_code == 400
        assert 'class="errors"' in refused.content.decode() or "exists already" in text(refused)


def test_the_last_owner_stays(browser, alice, acme):
    submit(browser, "/profile/projects", f"/profile/projects/acme/members/{alice.pk}/remove")
    assert acme.memberships.filter(user=alice).exists()
    assert "needs an owner" in text(browser.get("/profile/projects"))


def test_a_member_cannot_let_others_in_and_the_try_is_noted(cast):
    client = Client(enforce_csrf_checks=True)
    submit(client, "/sign-in", username="bob", password=PASSWORD)
    submit(client, "/profile/projects", "/profile/projects/acme/members", username="mallory", role="owner")
    assert not Membership.objects.filter(project=cast.acme, user=cast.mallory).exists()
    assert AuditEvent.objects.filter(outcome="refused", actor=str(cast.bob.pseudonym)).count() == 1


def test_a_stranger_cannot_let_themselves_in(browser, cast):
    refused = submit(
        browser, "/profile/projects", "/profile/projects/elsewhere/members", username="alice", role="owner"
    )
    assert refused.status_code == 404
    assert not Membership.objects.filter(project=cast.elsewhere, user=cast.alice).exists()


def test_the_default_project_is_chosen(browser, alice, mallory):
    submit(browser, "/profile/projects", slug="web-shop", name="")
    submit(browser, "/profile/projects", "/profile/projects/web-shop/default")
    alice.refresh_from_db()
    assert alice.default_project.slug == "web-shop"


@pytest.mark.parametrize(
    "page", ["/sign-in", "/profile/tokens", "/profile/keys", "/profile/projects", "/profile/password"]
)
def test_pages_carry_no_inline_script_or_style(browser, page):
    client = Client() if page == "/sign-in" else browser
    shown = client.get(page).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", shown)
    assert shown.count("<h1") == 1
