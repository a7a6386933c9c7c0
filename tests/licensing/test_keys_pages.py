"""The owners' pages of sold keys: made one by one and from a list, shown in full, suspended, deleted."""

import csv
import html
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent
from licensing import keys, minting
from licensing.models import LicenseKey
from registry.models import DownloadRecord, Package
from tests import builders
from tests.builders import Cast

pytestmark = pytest.mark.django_db
LIST = "/profile/projects/acme/license-keys"
SECRET = "@acme/secret"
FORM = {"name": "Ada", "packages": [SECRET], "constraint": "none"}


@pytest.fixture
def alice(cast: Cast) -> Client:
    """The owner's browser; her project holds something to sell."""
    builders.package(cast.acme, SECRET, visibility="private")
    return signed_in(cast.alice)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def sold(cast: Cast, **more) -> LicenseKey:
    return keys.create(keys.Wanted(packages=(SECRET,), **more), builders.actor(cast.alice))


def address(key: LicenseKey) -> str:
    return f"/profile/license-keys/{key.pk}"


def send(client: Client, rows: str):
    return client.post(f"{LIST}/list", {"text": f"name,packages,constraint,value,fallback,customer\n{rows}"})


def code_of(key: LicenseKey) -> str:
    asked = {"key": minting.unseal(key.sealed), "package": SECRET, "version": "1.0.0"}
    return Client().post("/v1/licenses/validate", asked, "application/json").json()["code"]


def test_an_owner_makes_a_key_and_reads_all_of_it_on_its_own_page_alone(alice: Client, cast: Cast):
    made = alice.post(LIST, {**FORM, "constraint": "date", "until": "2031-01-31", "fallback": "on"})
    key = LicenseKey.objects.get()
    assert made.headers["Location"] == address(key)
    assert (f"{key.valid_until:%Y-%m-%d %H:%M}", key.perpetual_fallback) == ("2031-02-01 00:00", True)
    page = alice.get(address(key))
    assert minting.unseal(key.sealed) in text(page)
    assert "until 2031-01-31" in text(page)
    assert "no-store" in page.headers["Cache-Control"]
    listed = text(alice.get(LIST))
    assert (minting.unseal(key.sealed) in listed, key.ending in listed) == (False, True)
    bob = signed_in(cast.bob)
    assert [bob.get(LIST).status_code, bob.get(address(key)).status_code] == [403, 403]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"packages": ["left-pad"]}, "left-pad"),
        ({"constraint": "date"}, "Give the last day"),
        ({"constraint": "version", "range": "<<2"}, "<<2"),
        ({"until": "2031-01-31"}, "Choose the limit"),
        ({"fallback": "on"}, "Only a key with a date"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(alice: Client, said: dict, why: str):
    answer = alice.post(LIST, FORM | said)
    errors = re.findall(r'<ul class="errors"[^>]*>(.*?)</ul>', answer.content.decode(), re.S)
    assert answer.status_code == 400
    assert any(why in html.unescape(one) for one in errors), errors
    assert not LicenseKey.objects.exists()


def test_a_list_becomes_keys_whose_download_no_spreadsheet_runs(alice: Client, cast: Cast):
    sold(cast, name="Before")
    rows = "=1+1,@acme/secret,date,2031-12-31,yes,@SUM(A1)\nGrace,@acme/secret,version,<3.0.0,,C-18\nEd,@acme/secret\n"
    answer = send(alice, rows)
    sold(cast, name="After")
    page = alice.get(answer.headers["Location"])
    assert ("3 keys are made" in text(page), "Before" in text(page), "After" in text(page)) == (True, False, False)
    link = html.unescape(re.search(r'href="([^"]+/csv[^"]+)"', page.content.decode())[1])
    table = list(csv.DictReader(io.StringIO(alice.get(link).content.decode())))
    assert [row["name"] for row in table] == ["'=1+1", "Grace", "Ed"]
    assert [row["value"] for row in table] == ["2031-12-31", "<3.0.0", ""]
    assert [row["customer"] for row in table] == ["'@SUM(A1)", "C-18", ""]
    made = {key.name: key for key in LicenseKey.objects.all()}
    assert [row["key"] for row in table] == [minting.unseal(made[name].sealed) for name in ("=1+1", "Grace", "Ed")]
    assert code_of(made["Ed"]) == "VALID"
    assert made["Grace"].meta == {"customer": "C-18"}
    assert AuditEvent.objects.filter(action="license_key.created").count() == 5


def test_every_bad_line_is_named_with_its_field_and_no_key_is_made(alice: Client):
    rows = [
        "Good,@acme/secret",
        ",@acme/secret",
        '"Two\nlines",no-such',
        "C,@acme/secret,date,soon",
        "D,@acme/secret,version,<<2",
        "E,@acme/secret,for ever",
        "F,@acme/secret,none,,maybe",
        "G,@acme/secret,,,,,more",
    ]
    answer = send(alice, "\n".join(rows))
    expected = [("3", "name"), ("4", "packages"), ("6", "value"), ("7", "value"), ("8", "constraint")]
    shown = re.findall(r"<li>Line (\d+)(?:, <code>(\w+)</code>)?:", answer.content.decode())
    assert shown == [*expected, ("9", "fallback"), ("10", "")]
    assert (answer.status_code, LicenseKey.objects.count()) == (400, 0)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"name,key,packages\na,b,c", "Keys are made by chance"),
        (b"name\na", "The header lacks this column."),
        (b"name,packages\n", "no row below"),
        (b"name,packages\n\xff,x", "not UTF-8"),
        (b'name,packages\n"open,x', "quotes do not close"),
        (b"name,packages\n" + b"a,@acme/secret\n" * 1001, "at most 1000 rows"),
    ],
)
def test_what_is_no_list_of_keys_says_why(alice: Client, body: bytes, why: str):
    answer = alice.post(f"{LIST}/list", {"file": SimpleUploadedFile("keys.csv", body)})
    assert (answer.status_code, why in text(answer)) == (400, True)
    assert not LicenseKey.objects.exists()


def test_a_longer_list_asks_no_more_of_each_row_than_telling_of_it(alice: Client, django_assert_max_num_queries):
    with django_assert_max_num_queries(40 + 12 * 20):
        send(alice, "A,@acme/secret\n" * 20)
    assert LicenseKey.objects.count() == 20


def test_a_key_is_suspended_resumed_and_deleted_once_the_box_is_ticked(alice: Client, cast: Cast):
    key = sold(cast)
    assert code_of(key) == "VALID"
    alice.post(f"{address(key)}/suspend")
    assert code_of(key) == "SUSPENDED"
    alice.post(f"{address(key)}/resume")
    assert code_of(key) == "VALID"
    assert "Tick the box" in text(alice.post(f"{address(key)}/remove", follow=True))
    assert code_of(key) == "VALID"
    assert "is deleted" in text(alice.post(f"{address(key)}/remove", {"sure": "on"}, follow=True))
    assert code_of(key) == "NOT_FOUND"


def test_a_key_is_found_by_its_end_and_all_of_it_and_shows_its_use_by_version(alice: Client, cast: Cast):
    key, _other = sold(cast, name="Gold", key="CHOSEN-BY-ALICE-12345"), sold(cast, name="Tin")
    for asked in ("12345", "CHOSEN-BY-ALICE-12345", "gold"):
        found = text(alice.get(LIST, {"q": asked}))
        assert ("Gold" in found, "Tin" in found) == (True, False), asked
    release = builders.release(Package.objects.get(name=SECRET), "1.2.3")
    for day in ("2026-01-01", "2026-01-02"):
        DownloadRecord.objects.create(release=release, day=day, credential=f"license:{key.pk}", count=2)
    LicenseKey.objects.filter(pk=key.pk).update(used_on=timezone.now().date())
    assert f"{SECRET} 1.2.3 4 2026-01-02" in text(alice.get(address(key)))


def test_an_admin_comes_from_the_key_in_the_admin_to_its_sellers_page(alice: Client, cast: Cast):
    key, root = sold(cast), signed_in(cast.root)
    assert f'href="{LIST}"' in root.get("/admin/licensing/licensekey/").content.decode()
    assert f'href="{LIST}"' not in signed_in(cast.bob).get("/admin/licensing/licensekey/").content.decode()
    assert root.get(address(key)).status_code == 200
    assert send(root, "Ada,@acme/secret").status_code == 302
