"""Paths with encoded slashes, and who is asking."""

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from accounts import asking, tokens, users
from accounts.actors import Actor
from accounts.errors import Forbidden, InvalidInput, RegistryError, Unauthenticated
from accounts.middleware import EncodedSlashes, WhoIsAsking
from accounts.models import ApiToken, Membership
from tests.builders import actor, token

factory = RequestFactory()


def path_seen(raw: str, decoded: str | None = None, **meta: str) -> str:
    """What the URL table sees when a server received the raw target."""
    request = factory.get("/")
    request.path_info = decoded if decoded is not None else raw
    request.META.update({"RAW_URI": raw, **meta})
    EncodedSlashes(lambda passed: HttpResponse())(request)
    return request.path_info


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("/api/v1/packages/left-pad", "/api/v1/packages/left-pad"),
        ("/api/v1/packages/@acme%2Fcore", "/api/v1/packages/@acme%2Fcore"),
        ("/api/v1/packages/%40acme%2fcore?x=%2F", "/api/v1/packages/@acme%2Fcore"),
        ("/api/v1/packages/scope%2Fversions/versions/1.0.0", "/api/v1/packages/scope%2Fversions/versions/1.0.0"),
        ("/packages/caf%C3%A9", "/packages/café"),
        ("/packages?search=100%25", "/packages"),
        ("http://registry.test/packages/a%2Fb", "/packages/a%2Fb"),
        ("/packages/caf\xc3\xa9/a%2Fb", "/packages/café/a%2Fb"),
    ],
)
def test_an_encoded_slash_stays_in_its_segment(raw, seen):
    assert path_seen(raw, decoded="/packages" if "?search" in raw else None) == seen


@pytest.mark.parametrize(
    "raw",
    [
        "/a/%252F",
        "/a/%25",
        "/a/%2525",
        "/a/%00",
        "/a/%ff",
        "/a/%2e%2e/b",
        "/a/%2e%2e%2Fb",
        "/a/x%2F..%2Fb",
        "/a/%2E",
        "/a/\xff/%2F",
    ],
)
def test_what_decodes_twice_or_climbs_is_not_found(raw):
    with pytest.raises(Http404):
        path_seen(raw)


def test_without_a_raw_uri_a_decoded_percent_is_not_found():
    with pytest.raises(Http404):
        path_seen("", decoded="/a/%2F")


def test_a_mounted_portal_keeps_its_prefix_out():
    assert path_seen("/registry/packages/a%2Fb", SCRIPT_NAME="/registry") == "/packages/a%2Fb"


def ask(client_user=None, **headers: str) -> Actor:
    """The actor that a view would see."""
    request = factory.get("/", headers=headers, REMOTE_ADDR="203.0.113.9")
    if client_user is not None:
        request.user = client_user
        request.COOKIES["sessionid"] = "any"
    WhoIsAsking(lambda passed: HttpResponse())(request)
    return asking.actor_of(request)


@pytest.mark.django_db
def test_an_anonymous_request_costs_no_query(django_assert_num_queries, client):
    with django_assert_num_queries(0):
        assert ask() == Actor(address="203.0.113.9")


def test_a_token_request_costs_one_query(cast, django_assert_num_queries):
    raw = token(cast.alice, "read", "publish")
    ask(Authorization=f"Bearer {raw}")
    with django_assert_num_queries(1):
        seen = ask(Authorization=f"Bearer {raw}")
        assert seen.kind == "token"
        assert (seen.user.username, seen.project.slug) == ("alice", "acme")
        assert seen.scopes == {"read", "publish"}


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key", "X-Api-Token"])
def test_a_token_is_accepted_in_each_header(cast, header):
    raw = token(cast.alice, "read")
    assert ask(**{header: f"Bearer {raw}" if header == "Authorization" else raw}).user == cast.alice


def test_the_same_token_twice_is_one_credential(cast):
    raw = token(cast.alice, "read")
    assert ask(**{"Authorization": f"bearer {raw}", "X-API-Key": raw, "X-Api-Token": raw}).user == cast.alice


@pytest.mark.parametrize("pair", [("Authorization", "X-API-Key"), ("X-API-Key", "X-Api-Token")])
def test_two_different_tokens_are_refused(cast, pair):
    values = [token(cast.alice, "read"), token(cast.alice, "publish")]
    headers = {
        name: f"Bearer {raw}" if name == "Authorization" else raw for name, raw in zip(pair, values, strict=True)
    }
    with pytest.raises(InvalidInput):
        ask(**headers)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value",
    ["", "nonsense", "sk_live_" + "a" * 38, tokens._random_token()],
    ids=["empty", "nonsense", "mistyped", "unknown"],  # workers must agree on the names
)
def test_a_bad_token_is_refused_by_its_header(value):
    with pytest.raises(Unauthenticated):
        ask(Authorization=f"Bearer {value}")
    for header in ("X-API-Key", "X-Api-Token"):
        with pytest.raises(Forbidden):
            ask(**{header: value})


def test_a_token_request_never_uses_the_session(cast):
    with pytest.raises(Unauthenticated):
        ask(client_user=cast.root, Authorization="Bearer nonsense")
    assert ask(client_user=cast.root, **{"X-API-Key": token(cast.alice, "read")}).user == cast.alice


def test_a_session_carries_what_the_role_allows(cast):
    for person in (cast.alice, cast.bob, cast.root):
        seen = ask(client_user=person)
        assert (seen.kind, seen.scopes) == ("session", users.scopes_of(person))
    assert ask(client_user=cast.bob).is_maintainer
    assert not ask(client_user=cast.alice).is_maintainer


def test_a_project_is_chosen_by_header(cast):
    Membership.objects.create(project=cast.elsewhere, user=cast.alice)
    assert ask(client_user=cast.alice).project == cast.acme
    seen = ask(client_user=cast.alice, **{"X-Project-ID": "elsewhere"})
    assert seen.project == cast.elsewhere
    assert seen.project_ids == {cast.elsewhere.pk}
    assert ask(client_user=cast.alice).project_ids == {cast.acme.pk, cast.elsewhere.pk}


@pytest.mark.parametrize("slug", ["elsewhere", "no-such-project", "", "a\x00b", "x" * 5000])
def test_foreign_and_unknown_projects_are_refused_alike(cast, slug):
    refusals = []
    for headers in ({}, {"Authorization": f"Bearer {token(cast.alice, 'read')}"}):
        with pytest.raises(Forbidden) as refusal:
            ask(client_user=cast.alice, **{"X-Project-ID": slug}, **headers)
        refusals.append((refusal.value.message, refusal.value.code, str(refusal.value.details)))
    with pytest.raises(Forbidden) as refusal:
        ask(**{"X-Project-ID": slug})
    refusals.append((refusal.value.message, refusal.value.code, str(refusal.value.details)))
    assert len(set(refusals)) == 1


@pytest.mark.parametrize("slug", ["elsewhere", "no-such-project"])
def test_an_admin_enters_every_project_that_exists(cast, slug):
    if slug == "elsewhere":
        assert ask(client_user=cast.root, **{"X-Project-ID": slug}).project == cast.elsewhere
    else:
        with pytest.raises(Forbidden):
            ask(client_user=cast.root, **{"X-Project-ID": slug})


def test_an_admins_token_without_scope_admin_stays_in_their_own_projects(cast):
    raw = token(cast.root, "read")
    with pytest.raises(Forbidden):
        ask(Authorization=f"Bearer {raw}", **{"X-Project-ID": "elsewhere"})
    strong = token(cast.root, "admin")
    assert ask(Authorization=f"Bearer {strong}", **{"X-Project-ID": "elsewhere"}).project == cast.elsewhere


def test_an_admins_token_bound_elsewhere_sees_that_project_alone(cast):
    for scope in ("read", "admin"):
        raw = token(cast.root, scope, project=cast.elsewhere)
        seen = ask(Authorization=f"Bearer {raw}")
        assert (seen.project, seen.project_ids) == (cast.elsewhere, {cast.elsewhere.pk})
        with pytest.raises(Forbidden):
            ask(Authorization=f"Bearer {raw}", **{"X-Project-ID": "acme"})


def test_a_bound_token_stays_in_its_project(cast):
    Membership.objects.create(project=cast.elsewhere, user=cast.alice)
    raw = token(cast.alice, "read", project=cast.acme)
    seen = ask(Authorization=f"Bearer {raw}")
    assert (seen.project, seen.project_ids) == (cast.acme, {cast.acme.pk})
    with pytest.raises(Forbidden):
        ask(Authorization=f"Bearer {raw}", **{"X-Project-ID": "elsewhere"})


def test_a_bound_token_loses_the_project_with_the_membership(cast):
    raw = token(cast.alice, "read", project=cast.acme)
    Membership.objects.filter(project=cast.acme, user=cast.alice).delete()
    seen = ask(Authorization=f"Bearer {raw}")
    assert (seen.project, seen.project_ids) == (None, frozenset())


def test_a_demoted_maintainers_token_loses_review_at_once(cast):
    raw = token(cast.bob, "read", "review")
    assert ask(Authorization=f"Bearer {raw}").is_maintainer
    users.change_role(cast.bob, "developer", actor(cast.root))
    seen = ask(Authorization=f"Bearer {raw}")
    assert seen.scopes == {"read"}
    assert not seen.is_maintainer


def test_the_actor_is_found_lazily_and_once(cast, django_assert_num_queries):
    raw = token(cast.alice, "read")
    ask(Authorization=f"Bearer {raw}")
    request = factory.get("/", headers={"Authorization": f"Bearer {raw}"})
    with django_assert_num_queries(0):
        WhoIsAsking(lambda passed: HttpResponse())(request)
    with django_assert_num_queries(1):
        assert isinstance(request.actor, Actor)
        assert request.actor.user.username == "alice"
        assert request.actor.can("read")


def test_use_leaves_a_truncated_address(cast):
    ask(Authorization=f"Bearer {token(cast.alice, 'read')}")
    assert ApiToken.objects.get().last_used_from == "203.0.113.0/24"


@pytest.mark.parametrize(
    ("hops", "told", "believed"),
    [
        (0, "6.6.6.6", "203.0.113.9"),
        (1, "6.6.6.6", "6.6.6.6"),
        (1, "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        (2, "1.1.1.1, 6.6.6.6, 10.0.0.1", "6.6.6.6"),
        (2, "6.6.6.6", "6.6.6.6"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "6.6.6.6:4711", "6.6.6.6"),
        (1, "nonsense", ""),
        (1, None, "203.0.113.9"),
    ],
)
@pytest.mark.django_db
def test_only_trusted_proxies_are_believed(settings, hops, told, believed):
    settings.TRUSTED_PROXIES = hops
    headers = {} if told is None else {"X-Forwarded-For": told}
    assert ask(**headers).address == believed


def test_every_refusal_is_one_of_ours(cast):
    with pytest.raises(RegistryError):
        ask(Authorization="Bearer \udcff")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/packages/%252F", "/api/v1/packages/%252F", "/packages/%2e%2e%2fetc"])
def test_a_path_that_decodes_twice_is_not_found_as_page_and_as_json(client, path):
    response = client.get(path, RAW_URI=path)
    assert response.status_code == 404
    expected = "application/json" if "/api/" in path else "text/html"
    assert response["Content-Type"].startswith(expected)
