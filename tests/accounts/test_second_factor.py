"""The second factor: set up, asked for, never replayed, not to be guessed, and not to be walked around."""

import base64
import hashlib
import hmac
import re
import struct
import time
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import privacy, second_factor, users
from accounts.actors import SYSTEM, Actor
from accounts.errors import Forbidden
from accounts.models import AuditEvent, User
from tests.accounts.walking_to_github import signed_in, walk, who
from tests.builders import PASSWORD, actor

pytestmark = pytest.mark.django_db
SET_UP, SECURITY = "/profile/security/second-factor", "/profile/security"


def totp(secret: str, step: int, digits: int = 6) -> str:
    """RFC 6238 with SHA-1, written out once more so that the portal is not measured against itself."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", step), hashlib.sha1)
    start = mac[-1] & 15
    return str(int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF).zfill(10)[-digits:]


def now() -> int:
    return int(time.time()) // 30


class Phone:
    """An app that knows a secret. Each code it shows is newer than the one before, as for somebody who waits."""

    def __init__(self, secret: str) -> None:
        self.secret, self.step = secret, now() - 1

    def shows(self) -> str:
        self.step += 1
        return totp(self.secret, self.step)


def set_up(browser: Client) -> tuple[Phone, list[str]]:
    """Scan the picture, type the code, keep the recovery codes."""
    page = browser.get(SET_UP).content.decode()
    phone = Phone(re.search(r'data-copy="([A-Z2-7 ]+)"', page)[1].replace(" ", ""))
    answer = browser.post(SET_UP, {"code": phone.shows()})
    assert answer.status_code == 200, answer.content.decode()
    return phone, re.findall(r"<code>([a-z2-9-]{19})</code>", answer.content.decode())


def with_password(name: str, page: str = "/sign-in", **more: str) -> tuple[Client, object]:
    browser = Client()
    return browser, browser.post(page, {"username": name, "password": PASSWORD, **more})


@pytest.fixture
def guarded(alice) -> tuple[User, Phone, list[str]]:
    """Alice with a second factor: herself, her phone, her recovery codes."""
    phone, codes = set_up(signed_in(alice))
    alice.refresh_from_db()
    return alice, phone, codes


@pytest.mark.once
@pytest.mark.parametrize(("moment", "code"), [(59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")])
def test_the_measure_of_these_tests_is_that_of_the_rfc(moment, code):
    assert totp(base64.b32encode(b"12345678901234567890").decode(), moment // 30, digits=8) == code


# --- setting it up --------------------------------------------------------------------------------------------------
def test_it_is_set_up_with_a_code_and_leaves_ten_codes_for_bad_days(alice):
    browser = signed_in(alice)
    other = signed_in(alice)
    _, codes = set_up(browser)
    assert len(set(codes)) == 10
    assert browser.get(SECURITY).status_code == 200
    assert other.get(SECURITY).status_code == 302, "other browsers have to sign in again, with the code"
    assert browser.get(SET_UP).url == SECURITY
    assert codes[0] not in browser.get(SECURITY).content.decode()
    assert AuditEvent.objects.get(action="second_factor.switched_on").actor == str(alice.pseudonym)


def test_the_picture_holds_what_the_text_says_and_no_style(alice):
    page = signed_in(alice).get(SET_UP)
    svg = re.search(r"<svg.*?</svg>", page.content.decode(), re.DOTALL)[0]
    assert "style" not in svg
    assert "<script" not in svg
    assert "no-store" in page["Cache-Control"]
    secret, address = second_factor.shown(second_factor.new_secret(), alice)
    assert address == f"otpauth://totp/CodeSync%20Registry%3Aalice?secret={secret}&issuer=CodeSync%20Registry"


def test_a_wrong_code_switches_nothing_on(alice):
    browser = signed_in(alice)
    page = browser.get(SET_UP).content.decode()
    answer = browser.post(SET_UP, {"code": "12345x"})
    assert answer.status_code == 400
    assert "The code is wrong" in answer.content.decode()
    shown = re.compile(r'data-copy="([A-Z2-7 ]+)"')
    assert shown.search(page)[1] == shown.search(answer.content.decode())[1], "the scanned picture stays good"
    alice.refresh_from_db()
    assert alice.second_factor_since is None


def test_neither_the_database_nor_the_session_holds_a_secret_in_the_clear(alice):
    browser = signed_in(alice)
    page = browser.get(SET_UP).content.decode()
    secret = re.search(r'data-copy="([A-Z2-7 ]+)"', page)[1].replace(" ", "")
    assert secret not in str(dict(browser.session))
    answer = browser.post(SET_UP, {"code": totp(secret, now())})
    code = re.findall(r"<code>([a-z2-9-]{19})</code>", answer.content.decode())[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = str(cursor.fetchall())
    assert secret not in stored
    assert code not in stored
    assert code.replace("-", "") not in stored


# --- asking for it --------------------------------------------------------------------------------------------------
def test_after_the_password_comes_the_code(guarded):
    _, phone, _ = guarded
    browser, answer = with_password("alice", next="/packages")
    assert (answer.url, who(browser)) == ("/sign-in/code", "")
    assert browser.get("/profile/tokens").status_code == 302
    assert browser.get("/api/v1/me").status_code == 401
    answer = browser.post("/sign-in/code", {"code": f" {phone.shows()[:3]} {totp(phone.secret, phone.step)[3:]} "})
    assert (answer.status_code, answer.url, who(browser)) == (302, "/packages", "alice")
    tail = [event.action for event in AuditEvent.objects.order_by("-seq")[:2]]
    assert tail == ["session.opened", "second_factor.passed"]


def test_after_github_comes_the_code(guarded, provider):
    _, phone, codes = guarded
    browser, _ = with_password("alice")
    browser.post("/sign-in/code", {"code": phone.shows()})
    walk(browser, "/profile/security/github")
    fresh = Client()
    assert walk(fresh).url == "/sign-in/code"
    assert who(fresh) == ""
    assert fresh.post("/sign-in/code", {"code": codes[0]}).url == "/"
    assert who(fresh) == "alice"


def test_a_code_is_good_for_once_and_so_is_every_older_one(guarded):
    _, phone, _ = guarded
    used = phone.shows()
    browser, _ = with_password("alice")
    browser.post("/sign-in/code", {"code": used})
    assert who(browser) == "alice"
    for old in (used, totp(phone.secret, phone.step - 1), totp(phone.secret, phone.step - 2)):
        thief, _ = with_password("alice")
        assert thief.post("/sign-in/code", {"code": old}).status_code == 400
        assert who(thief) == ""


def test_a_recovery_code_is_good_for_once_however_it_is_typed(guarded):
    _, _, codes = guarded
    browser, _ = with_password("alice")
    browser.post("/sign-in/code", {"code": codes[3].upper().replace("-", " ")})
    assert who(browser) == "alice"
    assert "9 recovery codes are left" in browser.get(SECURITY).content.decode()
    thief, _ = with_password("alice")
    assert thief.post("/sign-in/code", {"code": codes[3]}).status_code == 400
    passed = AuditEvent.objects.get(action="second_factor.passed", outcome="done")
    assert passed.details == {"with": "recovery_codes", "recovery_codes_left": 9}


@pytest.mark.parametrize("code", ["", "00000x", "00000000", "-", "\x00", "１２３４５６", "\udcff", "a" * 41])
def test_what_is_no_code_is_refused(guarded, code):
    browser, _ = with_password("alice")
    form = urlencode({"code": code}, errors="surrogateescape")
    answer = browser.post("/sign-in/code", form, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, who(browser)) == (400, "")


def test_half_a_sign_in_is_worth_nothing_and_ends_by_itself(guarded):
    alice, phone, _ = guarded
    late, _ = with_password("alice")
    changed, _ = with_password("alice")
    kept = late.session
    kept["half_signed_in"] = {**kept["half_signed_in"], "until": time.time() - 1}
    kept.save()
    assert late.post("/sign-in/code", {"code": phone.shows()}).url == "/sign-in"
    users.change_password(alice, "a wide and windy bridge", actor(alice))
    assert changed.post("/sign-in/code", {"code": phone.shows()}).url == "/sign-in"
    assert Client().post("/sign-in/code", {"code": phone.shows()}).url == "/sign-in"


def test_the_admin_is_no_way_around(root):
    phone, _ = set_up(signed_in(root))
    browser, answer = with_password("root", "/admin/login/", next="/admin/tables/")
    assert (answer.url, who(browser)) == ("/sign-in/code", "")
    assert browser.get("/admin/").status_code == 302
    assert browser.post("/sign-in/code", {"code": phone.shows()}).url == "/admin/tables/"
    assert browser.get("/admin/tables/").status_code == 200


# --- guessing -------------------------------------------------------------------------------------------------------
def test_after_ten_wrong_codes_the_right_one_is_wrong_too(guarded):
    _, phone, codes = guarded
    cache.clear()
    browser, _ = with_password("alice")
    answers = {browser.post("/sign-in/code", {"code": "00000x"}).status_code for _ in range(10)}
    right = browser.post("/sign-in/code", {"code": phone.shows()})
    assert (answers, right.status_code, who(browser)) == ({400}, 400, "")
    assert browser.post("/sign-in/code", {"code": codes[0]}).status_code == 400
    again, _ = with_password("alice")
    assert again.post("/sign-in/code", {"code": codes[0]}).status_code == 400, "a new session brings no new tries"
    assert AuditEvent.objects.filter(action="second_factor.passed", outcome="refused").count() == 13
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    elsewhere.post("/sign-in", {"username": "alice", "password": PASSWORD})
    assert elsewhere.post("/sign-in/code", {"code": codes[0]}).url == "/", "alice herself is not locked out"


def test_many_addresses_together_get_thirty_tries(guarded):
    alice, _, codes = guarded
    cache.clear()
    for number in range(30):
        with pytest.raises(second_factor.WrongCode):
            second_factor.check(alice, "00000x", actor_from(alice, f"198.51.100.{number}"))
    with pytest.raises(second_factor.WrongCode):
        second_factor.check(alice, codes[0], actor_from(alice, "203.0.113.1"))


def actor_from(person: User, address: str) -> Actor:
    return replace(actor(person), address=address)


# --- doing without --------------------------------------------------------------------------------------------------
def test_new_codes_and_switching_off_take_a_code(guarded):
    _, phone, codes = guarded
    browser, _ = with_password("alice")
    browser.post("/sign-in/code", {"code": codes[0]})
    for page in ("/codes", "/off"):
        assert browser.post(SET_UP + page, {"code": "00000x"}).status_code == 400
    renewed = browser.post(SET_UP + "/codes", {"code": codes[1]})
    fresh = re.findall(r"<code>([a-z2-9-]{19})</code>", renewed.content.decode())
    assert (len(fresh), set(fresh) & set(codes)) == (10, set())
    assert browser.post(SET_UP + "/off", {"code": codes[2]}).status_code == 400, "the old ones have ended"
    assert browser.post(SET_UP + "/off", {"code": phone.shows()}).status_code == 302
    assert browser.get(SECURITY).status_code == 200
    assert not Authenticator.objects.exists()
    assert with_password("alice")[1].url == "/"
    refused = AuditEvent.objects.filter(action="second_factor.switched_off", outcome="refused")
    assert refused.count() == 2


def test_those_who_run_the_portal_can_reset_it(guarded):
    alice, _, codes = guarded
    inside, _ = with_password("alice")
    inside.post("/sign-in/code", {"code": codes[0]})
    with pytest.raises(Forbidden):
        second_factor.reset(alice, actor(alice))
    call_command("user", "reset-second-factor", "alice")
    assert inside.get(SECURITY).status_code == 302, "who is inside with the old factor is out"
    assert with_password("alice")[1].url == "/"
    event = AuditEvent.objects.get(action="second_factor.reset")
    assert (event.actor, event.object) == ("system", f"user:{alice.pseudonym}")
    with pytest.raises(CommandError, match="no second factor"):
        call_command("user", "reset-second-factor", "alice")
    with pytest.raises(CommandError, match="no user"):
        call_command("user", "reset-second-factor", "nobody-at-all")


def test_an_admin_resets_it_in_the_table_of_people(guarded, root):
    alice, _, _ = guarded
    action = {"action": "reset_second_factor", "_selected_action": [alice.pk, root.pk]}
    signed_in(root).post("/admin/accounts/user/", action)
    alice.refresh_from_db()
    assert alice.second_factor_since is None
    assert AuditEvent.objects.get(action="second_factor.reset").actor == str(root.pseudonym)


def test_another_secret_key_closes_the_app_but_not_the_recovery_codes(guarded, settings):
    _, phone, codes = guarded
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "a secret key that came later, long enough to pass"
    browser, _ = with_password("alice")
    assert browser.post("/sign-in/code", {"code": phone.shows()}).status_code == 400
    assert browser.post("/sign-in/code", {"code": codes[0]}).url == "/"
    settings.SECRET_KEY_FALLBACKS = [before]
    other, _ = with_password("alice")
    assert other.post("/sign-in/code", {"code": totp(phone.secret, phone.step)}).url == "/"


def test_a_session_from_before_does_not_come_in_by_an_old_secret_key(alice, settings):
    before = signed_in(alice)
    User.objects.filter(pk=alice.pk).update(second_factor_since=timezone.now())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    assert before.get(SECURITY).status_code == 302


def test_it_is_taken_along_without_secrets_and_erased(guarded):
    alice, _, codes = guarded
    taken = privacy.export(alice, actor(alice))["second_factor"]
    assert taken == {"since": alice.second_factor_since, "last_used_at": None, "recovery_codes_left": 10}
    privacy.erase(alice, actor(alice))
    alice.refresh_from_db()
    assert not Authenticator.objects.exists()
    assert alice.second_factor_since is None
    with pytest.raises(second_factor.WrongCode):
        second_factor.check(alice, codes[0], SYSTEM)
