"""Licence keys over the API: the shapes of their source, what is refused by name, whose they are, who sees them."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEvent, Membership
from licensing import keys, minting
from licensing.models import LicenseKey
from tests import builders
from tests.builders import Cast

KEYS = "/v1/licenses"
WHOLE: dict[str, Any] = {
    "name": "Default License",
    "key": "12345-12345-ABCDE",
    "constraint": {"type": "none"},
    "suspended": False,
    "meta": {"key": "value"},
    "packages": ["@acme/secret"],
}
NEW = {"constraint": {"type": "none"}, "packages": ["@acme/secret"]}
SHAPE = ["id", "name", "key", "constraint", "suspended", "meta", "packages", "createdAt", "updatedAt"]


@pytest.fixture
def seller(cast: Cast) -> Client:
    """Alice's token for keys; acme has a private package in each of two ecosystems."""
    builders.package(cast.acme, "@acme/secret", visibility="private")
    builders.package(cast.acme, "Acme_Tools", ecosystem="pypi", visibility="private")
    builders.package(cast.acme, "acme/image", ecosystem="docker", visibility="private")
    builders.package(cast.elsewhere, "@elsewhere/secret", visibility="private")
    return client_of(cast.alice)


def client_of(person: Any, *scopes: str) -> Client:
    return Client(headers=builders.bearer(builders.token(person, *(scopes or ("licenses",)))))


def post(client: Client, body: Any, path: str = KEYS) -> Any:
    return client.post(path, body, "application/json")


def put(client: Client, made: dict, **changes: Any) -> Any:
    body = {name: made[name] for name in WHOLE} | changes
    return client.put(f"{KEYS}/{made['id']}", body, "application/json")


def test_a_key_is_made_read_replaced_and_deleted_in_the_shapes_of_the_source(seller: Client):
    answer = post(seller, WHOLE)
    made = answer.json()
    assert (answer.status_code, list(made)) == (201, SHAPE)
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert answer["Location"] == f"/api/v1/licenses/{made['id']}"
    assert answer["Cache-Control"] == "no-store"
    assert (uuid.UUID(made["id"]).version, type(made["createdAt"])) == (4, int)
    assert abs(made["createdAt"] / 1000 - LicenseKey.objects.get().created_at.timestamp()) < 0.001
    assert seller.get(f"/api/v1/licenses/{made['id']}").json() == made
    page = seller.get(KEYS).json()
    assert page == {"pagination": {"count": 1, "prev": None, "next": None}, "data": [made]}

    change = {"name": "Gold", "key": "NEW-KEY-1", "constraint": {"type": "version", "value": "<2.0.0"}}
    changed = put(seller, made, suspended=True, meta={}, **change).json()
    assert changed == {**made, **change, "suspended": True, "meta": {}, "updatedAt": changed["updatedAt"]}
    assert changed["updatedAt"] >= changed["createdAt"] == made["createdAt"]

    gone = seller.delete(f"{KEYS}/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert seller.get(f"{KEYS}/{made['id']}").status_code == 404
    done = AuditEvent.objects.filter(action__startswith="license_key.").order_by("seq")
    assert [event.action.partition(".")[2] for event in done] == ["created", "suspended", "deleted"]
    assert not any("12345" in str(event.details) + event.object for event in done)


def test_a_put_replaces_the_whole_key(seller: Client):
    """What the source calls optional is empty when left out; what it requires is asked for by name."""
    made = post(seller, WHOLE).json()
    body = {name: WHOLE[name] for name in WHOLE if name != "meta"}
    assert seller.put(f"{KEYS}/{made['id']}", body, "application/json").json()["meta"] == {}
    for name in ("name", "key", "constraint", "suspended", "packages"):
        answer = seller.put(
            f"{KEYS}/{made['id']}", {one: WHOLE[one] for one in WHOLE if one != name}, "application/json"
        )
        assert (answer.status_code, list(answer.json()["details"])) == (400, [name])


def test_a_key_that_nobody_chose_is_random_and_reads_aloud(seller: Client):
    made = [post(seller, NEW).json() for _ in range(3)]
    assert {one["name"] for one in made} == {"Default License"}
    assert len({one["key"] for one in made}) == 3
    for one in made:
        assert re.fullmatch(r"(?:[A-HJKMNP-TV-Z2-9]{5}-){5}[A-HJKMNP-TV-Z2-9]{5}", one["key"])
        assert not set("ILOU01") & set(one["key"])
    assert len(minting.ALPHABET) ** (minting.GROUPS * minting.LETTERS - minting.LETTERS) > 2**100


def test_constraints_come_back_as_they_were_given(seller: Client):
    given = (
        {"type": "none"},
        {"type": "date", "value": 1697095609643},
        {"type": "date", "value": 1697095609643, "perpetualFallback": True},
        {"type": "version", "value": "<2.0.0"},
    )
    assert [post(seller, NEW | {"constraint": one}).json()["constraint"] for one in given] == list(given)
    plain = post(seller, NEW | {"constraint": {"type": "date", "value": 1697095609643, "perpetualFallback": False}})
    assert plain.json()["constraint"] == {"type": "date", "value": 1697095609643}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", 5),
        ("key", "short"),
        ("key", "with a blank"),
        ("key", "sk_live_" + "a" * 20),
        ("key", "k" * 129),
        ("key", "TAKEN-KEY-1"),
        ("key", None),
        ("constraint", None),
        ("constraint", "none"),
        ("constraint", {}),
        ("constraint", {"type": "none", "value": 1}),
        ("constraint", {"type": "never"}),
        ("constraint", {"type": ["none"]}),
        ("constraint", {"type": "date"}),
        ("constraint", {"type": "date", "value": "1697095609643"}),
        ("constraint", {"type": "date", "value": 1697095609643.5}),
        ("constraint", {"type": "date", "value": True}),
        ("constraint", {"type": "date", "value": 10**18}),
        ("constraint", {"type": "date", "value": -1}),
        ("constraint", {"type": "date", "value": 1697095609643, "perpetualFallback": 1}),
        ("constraint", {"type": "version"}),
        ("constraint", {"type": "version", "value": ""}),
        ("constraint", {"type": "version", "value": "not a range"}),
        ("constraint", {"type": "version", "value": "<" + "9" * 300}),
        ("constraint", {"type": "version", "value": "<2.0.0", "perpetualFallback": True}),
        ("suspended", "false"),
        ("meta", []),
        ("meta", "text"),
        ("meta", None),
        ("meta", {"long": "x" * 17_000}),
        ("meta", {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {"9": {}}}}}}}}}}),
        ("packages", []),
        ("packages", "@acme/secret"),
        ("packages.0", [None]),
        ("packages", ["@acme/secret", "@acme/nothing"]),
        ("packages", ["@elsewhere/secret"]),
        ("surprise", 1),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_its_field(seller: Client, field: str, value: Any):
    assert post(seller, NEW | {"key": "TAKEN-KEY-1"}).status_code == 201
    answer = post(seller, NEW | {field.partition(".")[0]: value})
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field]), answer.json()
    assert LicenseKey.objects.count() == 1


def test_packages_are_named_as_their_ecosystem_spells_them_and_ranges_are_read_as_it_reads_them(seller: Client):
    assert post(seller, NEW | {"packages": ["acme-tools", "@acme/secret"]}).json()["packages"] == [
        "Acme_Tools",
        "@acme/secret",
    ]
    tools = NEW | {"packages": ["acme-tools"]}
    assert post(seller, tools | {"constraint": {"type": "version", "value": "~=1.4"}}).status_code == 201
    answer = post(seller, tools | {"constraint": {"type": "version", "value": "^1.4"}})
    assert "Python" in answer.json()["error"]
    image = NEW | {"packages": ["acme/image"], "constraint": {"type": "version", "value": "<2.0.0"}}
    assert post(seller, image).status_code == 201


def test_a_key_is_its_projects_and_of_those_who_may_manage_it(cast: Cast, seller: Client):
    """Whoever else asks gets the answer for a key that never was; a reader of the project is told so."""
    made = post(seller, WHOLE).json()
    mallory, bob, rita = client_of(cast.mallory), client_of(cast.bob), builders.user("rita")
    Membership.objects.create(project=cast.acme, user=rita, role=Membership.Role.READER)
    assert bob.get(f"{KEYS}/{made['id']}").json()["key"] == WHOLE["key"]
    nothing = f"{KEYS}/{uuid.uuid4()}"
    for ask in (mallory.get, mallory.delete):
        assert ask(f"{KEYS}/{made['id']}").content == ask(nothing).content
    assert put(mallory, made).status_code == 404
    assert mallory.get(KEYS).json()["data"] == []
    assert client_of(rita).get(KEYS, headers={"X-Project-ID": "acme"}).status_code == 403
    assert client_of(cast.alice, "read").get(KEYS).status_code == 403
    assert Client().get(KEYS).status_code == 401
    assert post(mallory, {**WHOLE, "packages": ["@elsewhere/secret"]}).json()["details"] == {"key": ["in use"]}


def test_a_copy_of_the_database_holds_no_key_that_works(cast: Cast, seller: Client):
    """Neither the keys nor their plain digests; and what is in the clear is the end that tells them apart."""
    import hashlib

    raws = [WHOLE["key"], post(seller, NEW).json()["key"]]
    post(seller, WHOLE)
    for raw in raws:
        Client(headers=builders.bearer(raw)).get("/v1/packages")
    dump = ""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            dump += "\n".join(map(str, cursor.fetchall()))
    assert "Default License" in dump
    for raw in raws:
        assert (
            LicenseKey.objects.filter(ending=raw[-5:]).exists() or LicenseKey.objects.filter(ending=raw[-4:]).exists()
        )
        assert raw not in dump
        assert hashlib.sha256(raw.encode()).hexdigest() not in dump
        assert not any(raw[place : place + 8] in dump for place in range(len(raw) - 7))


def test_keys_go_on_working_under_a_new_secret_key(settings, seller: Client):
    raw = post(seller, WHOLE).json()["key"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret, as long as it must be", [settings.SECRET_KEY]
    row = LicenseKey.objects.get()
    assert minting.unseal(row.sealed) == raw
    assert Client().get("/v1/me", headers=builders.bearer(raw)).json()["credential"]["id"] == str(row.pk)
    settings.SECRET_KEY_FALLBACKS = []
    assert minting.unseal(row.sealed) == ""
    assert Client().get("/v1/me", headers=builders.bearer(raw)).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "since=x",
        "since=-1",
        "since=1e3",
        "since=",
        "until=99999999999999",
        "until=1.5",
        "limit=0",
        "limit=1001",
        "limit=",
    ],
)
def test_a_page_is_asked_for_in_milliseconds(seller: Client, query: str):
    answer = seller.get(f"{KEYS}?{query}")
    assert (answer.status_code, list(answer.json()["details"])) == (400, [query.partition("=")[0]])


def test_a_page_of_keys_costs_as_many_queries_as_one_key(seller: Client, django_assert_max_num_queries):
    def cost() -> int:
        with django_assert_max_num_queries(20) as queries:
            assert seller.get(KEYS).status_code == 200
        return len(queries)

    post(seller, NEW)
    one = cost()
    for _ in range(5):
        post(seller, NEW)
    assert cost() == one
    assert keys.DEFAULT_NAME
