"""Stored indexes answered before Django: the same answers as those of the portal behind, and refused as soon."""

import base64
import contextlib
import http.client
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Membership, Project, User
from licensing import keys, minting
from licensing.keys import Wanted as WantedKey
from licensing.models import LicenseKey
from registry import documents
from registry.models import Artifact, Blob, Package, ReleaseManifest
from registry.protocols.early import StoredIndexes
from registry.upstreams.models import Upstream
from registry.upstreams.through import allowing
from tests import builders
from tests.accounts.serving import served
from tests.builders import Cast

SHORT = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
USUAL = ("", SHORT, PIP, "*/*", "text/html")
ACCEPTS = (*USUAL, "application/vnd.pypi.simple.latest+html", "image/png", "x" * 900)
NAMES = ("open", "secret", "held", "withdrawn", "skipped", "nowhere")
PATHS = (
    *(f"/npm/{name}" for name in NAMES),
    *(f"/pypi/simple/{name}/" for name in NAMES),
    *("/npm/@acme%2fscoped", "/npm/@acme%2Fscoped", "/npm/@acme/scoped", "/npm/acme%2Fopen", "/npm/%6Fpen"),
    "/npm/op%C3%A9n",
    *("/npm/open%252F", "/npm/open?write=true", "/npm/open?", "/npm/open/1.0.0", "/npm/-/ping", "/npm/", "/npm"),
    *("/pypi/simple/Open/", "/pypi/simple/open", "/pypi/simple/open/?format=text/html", "/pypi/simple/"),
    *("/npm/acme/open", "/npm/acme/secret", "/npm/acme/@acme%2fscoped", "/npm/elsewhere/secret", "/npm/nobody/open"),
    *("/pypi/acme/simple/secret/", "/pypi/acme/simple/open/", "/pypi/elsewhere/simple/open/"),
)
CORE = (
    *("/npm/open", "/npm/secret", "/npm/held", "/npm/skipped", "/npm/@acme%2fscoped", "/npm/acme/open"),
    *("/npm/acme/secret", "/npm/elsewhere/secret", "/pypi/simple/open/", "/pypi/simple/secret/"),
    "/pypi/acme/simple/secret/",
)
METHODS = ("GET", "HEAD")
TAGS = (None, "*", '"not this one"', "that one", "weak")
COUNTED = "x-ratelimit-remaining"


class Answer(NamedTuple):
    """What came back, header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Asked(NamedTuple):
    """A request that both ways get."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    environ: dict[str, str] = {}  # never changed


def late(asked: Asked) -> Answer:
    """The answer of the portal alone: every middleware, the URL table, the view."""
    said = Client().generic(asked.method, asked.path, headers=asked.headers, RAW_URI=asked.path, **asked.environ)
    said.headers.pop("Set-Cookie", None)
    body = b"".join(said.streaming_content) if said.streaming else said.content
    return Answer(said.status_code, {name.lower(): value for name, value in said.items()}, body)


def early(asked: Asked) -> Answer | None:
    """The answer without the portal; None where it is left to it."""
    request = RequestFactory().generic(
        asked.method, asked.path, headers=asked.headers, RAW_URI=asked.path, **asked.environ
    )
    said: list[Any] = []
    body = StoredIndexes(lambda *_: [])(request.environ, lambda *told: said.extend(told))
    if not said:
        return None
    names = [name.lower() for name, _ in said[1]]
    assert len(names) == len(set(names))
    return Answer(int(said[0][:3]), {name.lower(): value for name, value in said[1]}, b"".join(body))


def compare(asked: Asked) -> bool:
    """Hold both answers beside each other, which count once each; whether there was an early one."""
    there = late(asked)
    here = early(asked)
    if here is None:
        return False
    assert here.status == there.status, asked
    expected, found = dict(there.headers), dict(here.headers)
    assert int(found.pop(COUNTED)) == int(expected.pop(COUNTED)) - 1, asked
    for headers in (expected, found):  # the library puts the directives into any order
        headers["content-security-policy"] = " ".join(sorted(headers["content-security-policy"].split("; ")))
    assert found == expected, asked
    if asked.method == "GET":
        assert here.body == there.body, asked
    return True


@pytest.fixture
def shelf(cast: Cast) -> None:
    """Packages of every kind in both ecosystems."""
    for ecosystem, name in product(("npm", "pypi"), NAMES[:-1]):
        stock(cast.acme, ecosystem, name)
    stock(cast.acme, "npm", "@acme/scoped")


def stock(project: Project, ecosystem: str, name: str) -> Package:
    """A package as its name says."""
    visibility = "private" if name == "secret" else "public"
    made = builders.package(project, name, ecosystem, visibility=visibility)
    statuses = {"held": ["pending"], "withdrawn": ["quarantined"], "skipped": ["approved", "pending"]}
    for number, status in enumerate(statuses.get(name, ["approved"])):
        release = builders.release(
            made, f"1.{number}.0", status, held_because="It waits." if status != "approved" else ""
        )
        filename = f"{name.rpartition('/')[2]}-1.{number}.0" + (".tgz" if ecosystem == "npm" else ".tar.gz")
        digest = f"{release.pk:064x}"
        blob = Blob.objects.create(sha256=digest, size=1)
        ReleaseManifest.objects.create(release=release, raw={"name": name, "version": release.version})
        Artifact.objects.create(
            release=release,
            blob=blob,
            filename=filename,
            kind="tarball",
            size=1,
            sha256=digest,
            sha512="00" * 64,
            sha1="00" * 20,
        )
    with transaction.atomic():
        documents.rebuild(made)
    return made


def basic(raw: str) -> dict[str, str]:
    """As pip, uv and .netrc send it."""
    return {"Authorization": "Basic " + base64.b64encode(f"__token__:{raw}".encode()).decode()}


@pytest.fixture
def callers(cast: Cast, shelf: None) -> dict[str, dict[str, str]]:
    """The headers of every kind of caller; the first ones are answered early, the others never."""
    member, stranger = builders.token(cast.alice, "read"), builders.token(cast.mallory, "read", "publish")
    ending = builders.token(cast.alice, "read")
    ApiToken.objects.filter(digest=tokens.digest_of(ending)).update(expires_at=timezone.now() + timedelta(days=3))
    sold = keys.create(WantedKey(packages=("secret",)), builders.actor(cast.alice))
    closed = keys.create(WantedKey(packages=("secret",), suspended=True), builders.actor(cast.alice))
    narrow = tokens.issue_narrow(cast.alice, "ci", ["npm:open"], cast.acme, builders.actor(cast.alice))[1]
    browser = Client()
    browser.force_login(cast.alice)
    return {
        "nobody": {},
        "negotiating": {"Authorization": "Negotiate abc"},
        "member": builders.bearer(member),
        "password": basic(member),
        "x-api-key": {"X-API-Key": member},
        "x-api-token": {"X-Api-Token": member},
        "twice the same": {"X-API-Key": member, **builders.bearer(member)},
        "ending": builders.bearer(ending),
        "maintainer": builders.bearer(builders.token(cast.bob, "read", "review")),
        "admin": builders.bearer(builders.token(cast.root, "admin")),
        "admin, bound": builders.bearer(builders.token(cast.root, "admin", project=cast.acme)),
        "stranger": builders.bearer(stranger),
        "publisher": builders.bearer(builders.token(cast.alice, "publish")),
        "bound": builders.bearer(builders.token(cast.alice, "read", project=cast.acme)),
        "narrow": builders.bearer(narrow),
        "for acme": {**builders.bearer(member), "X-Project-ID": "acme"},
        "admin for acme": {**builders.bearer(builders.token(cast.root, "admin")), "X-Project-ID": "acme"},
        "key": builders.bearer(minting.unseal(sold.sealed)),
        "closed key": {"X-API-Key": minting.unseal(closed.sealed)},
        "session": {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"},
        "token and cookie": {**builders.bearer(member), "Cookie": "theme=dark"},
        "stranger for acme": {**builders.bearer(stranger), "X-Project-ID": "acme"},
        "nobody for acme": {"X-Project-ID": "acme"},
        "two": {"X-API-Key": member, **builders.bearer(stranger)},
        "made up": builders.bearer(tokens._random_token()),  # a token that nobody was given
        "mistyped": builders.bearer(member[:-1] + ("A" if member[-1] != "A" else "B")),
        "empty": {"Authorization": "Bearer "},
        "no base64": {"Authorization": "Basic §"},
    }


LATE = (
    "session",
    "token and cookie",
    "stranger for acme",
    "nobody for acme",
    "two",
    "made up",
    "mistyped",
    "empty",
    "no base64",
)


def requests(who: str, headers: dict[str, str], tags: dict[str, str]) -> Iterator[Asked]:
    """The paths that matter for each caller, forms and methods by turns; all of either for the two commonest."""
    some, every = list(product(USUAL, METHODS, TAGS)), product(ACCEPTS, METHODS, TAGS)
    paths = PATHS if who in ("nobody", "member") else CORE[:4] if who in LATE else CORE
    ways = [(path, *some[(at * 7 + 3 * len(who)) % len(some)]) for at, path in enumerate(paths)]
    whole = {"nobody": "/npm/open", "member": "/pypi/simple/open/"}.get(who)
    for path, accept, method, tag in [*ways, *((whole, *way) for way in every if whole)]:
        more = {"Accept": accept} if accept else {}
        if tag is not None:
            known = tags.get(f"{path} {accept}", '"unknown"')
            more["If-None-Match"] = {"that one": known, "weak": f'W/{known}, "other"'}.get(tag, tag)
        yield Asked(path, {**headers, **more}, method)


def test_whoever_asks_for_whatever_is_told_the_same_by_both_ways(callers: dict[str, dict[str, str]], settings):
    for name in ("ANONYMOUS", "FREE", "ENTERPRISE"):
        setattr(settings, f"RATE_LIMIT_{name}", "1000000/d")
    tags = {f"{path} {accept}": late(Asked(path, {"Accept": accept})).headers.get("etag", "")
            for path, accept in product(("/npm/open", "/pypi/simple/open/"), ACCEPTS)}  # fmt: skip
    answered: dict[str, set[str]] = {who: set() for who in callers}
    for who, headers in callers.items():
        for asked in requests(who, headers, tags):
            if compare(asked):
                answered[who].add(asked.path)
    public = {"/npm/open", "/npm/skipped", "/npm/@acme%2fscoped", "/pypi/simple/open/"}
    spelled = {"/npm/@acme%2Fscoped", "/npm/@acme/scoped", "/npm/%6Fpen", "/npm/open?", "/pypi/simple/skipped/"}
    assert spelled <= answered["nobody"] & answered["member"]
    private = {path for path in CORE if "secret" in path and "elsewhere" not in path}
    for who in callers.keys() - set(LATE):
        assert public <= answered[who], who
    for who in ("member", "password", "x-api-key", "bound", "maintainer", "admin", "for acme", "ending"):
        assert private <= answered[who], who
    for who in ("nobody", "stranger", "publisher", "narrow", "key", "closed key"):
        assert not {path for path in answered[who] if "secret" in path}, who
    assert not any(answered[who] for who in LATE)
    assert not {path for seen in answered.values() for path in seen if "npm/held" in path or "nowhere" in path}


def _end(cast: Cast, raw: str, how: str) -> None:
    """What takes the token's rights away in one way or another, from another process as it were."""
    token = ApiToken.objects.filter(digest=tokens.digest_of(raw))
    match how:
        case "revoked":
            tokens.revoke(token.get(), builders.actor(cast.alice))
        case "rotated":
            tokens.rotate(token.get(), 0, builders.actor(cast.alice))
        case "expired":
            token.update(expires_at=timezone.now())
        case "barred":
            User.objects.filter(pk=cast.alice.pk).update(is_active=False)
        case "without the scope":
            token.update(scopes=["publish"])
        case "no member":
            Membership.objects.filter(user=cast.alice).delete()
        case "bound elsewhere":
            token.update(project=cast.elsewhere)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        *((one, 401) for one in ("revoked", "rotated", "expired", "barred")),
        *((one, 404) for one in ("without the scope", "no member", "bound elsewhere")),
    ],
)
def test_what_ends_a_token_ends_its_reading_at_the_next_request(cast: Cast, how: str, status: int):
    stock(cast.acme, "npm", "secret")
    raw = builders.token(cast.alice, "read")
    asked = Asked("/npm/secret", {**builders.bearer(raw), "Accept": SHORT})
    assert compare(asked)
    _end(cast, raw, how)
    assert early(asked) is None
    assert late(asked).status == status


def test_what_becomes_private_withdrawn_or_sold_no_more_is_gone_at_the_next_request(cast: Cast, shelf: None):
    asked = Asked("/npm/open", {})
    assert compare(asked)
    Package.objects.update(visibility="private")
    package = Package.objects.get(ecosystem="npm", name="open")
    with transaction.atomic():
        documents.rebuild(package)
    assert early(asked) is None
    member = asked._replace(headers=builders.bearer(builders.token(cast.alice, "read")))
    assert compare(member)
    package.releases.update(status="quarantined")
    with transaction.atomic():
        documents.rebuild(package)
    assert early(member) is None
    assert late(member).status == 404


def test_a_key_that_is_taken_back_is_refused_for_public_packages_too(cast: Cast, shelf: None):
    sold = keys.create(WantedKey(packages=("secret",)), builders.actor(cast.alice))
    asked = Asked("/npm/open", builders.bearer(minting.unseal(sold.sealed)))
    assert compare(asked)
    LicenseKey.objects.all().delete()
    assert early(asked) is None
    assert late(asked).status == 401


@pytest.mark.parametrize(("who", "queries"), [("nobody", 1), ("member", 2), ("key", 2)])
def test_a_read_asks_the_database_for_the_caller_once_and_for_the_document_once(
    callers: dict[str, dict[str, str]], who: str, queries: int
):
    path = "/npm/open" if who == "nobody" else "/npm/acme/open"
    asked = Asked(path, callers[who])
    assert early(asked)
    with CaptureQueriesContext(connection) as seen:
        assert early(asked)
    assert len(seen) == queries, seen.captured_queries


def test_use_is_noted_and_counted_and_the_limit_ends_it(cast: Cast, shelf: None, settings):
    settings.RATE_LIMIT_ANONYMOUS, settings.RATE_LIMIT_FREE = "2/d", "3/d"
    nobody, member = Asked("/npm/open", {}), Asked("/npm/open", builders.bearer(builders.token(cast.alice, "read")))
    for asked, limit in ((nobody, 2), (member, 3)):
        left = [answer.headers[COUNTED] for _ in range(limit) if (answer := early(asked))]
        assert left == [str(number) for number in range(limit - 1, -1, -1)]
        assert early(asked) is None
        refused = late(asked)
        assert (refused.status, refused.headers["x-ratelimit-remaining"]) == (429, "0")
    used = ApiToken.objects.get()
    assert used.last_used_at is not None
    assert used.last_used_from == "127.0.0.0/24"


def test_hosts_and_proxies_are_believed_as_far_as_behind(shelf: None, settings):
    asked = Asked("/npm/open", {}, environ={"HTTP_HOST": "packages.example"})
    assert early(asked) is None
    settings.ALLOWED_HOSTS = ["packages.example"]
    assert compare(asked)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    behind = asked._replace(environ={**asked.environ, "HTTP_X_FORWARDED_PROTO": "https"})
    assert compare(behind)
    assert b"https://packages.example/npm/open/-/" in early(behind).body
    settings.PUBLIC_URL = "https://elsewhere.example"
    assert compare(behind)
    assert b"https://elsewhere.example/npm/open/-/" in early(behind).body


def test_what_an_upstream_may_add_to_is_left_to_the_door(cast: Cast, shelf: None):
    assert early(Asked("/npm/open", {}))
    Upstream.objects.create(
        name="far", kind="npm", base_url="https://far.example", ecosystem="npm", project=cast.acme,
        needs_review=False, pulls_through=True, pull_through_for="everybody",
    )  # fmt: skip
    allowing.forget()
    try:
        assert early(Asked("/npm/open", {})) is None
        assert early(Asked("/pypi/simple/open/", {}))
    finally:
        allowing.forget()


@pytest.mark.django_db(transaction=True)
def test_clients_that_stay_on_the_line_share_the_threads_and_lose_their_token_at_once(cast: Cast, tmp_path: Path):
    stock(cast.acme, "npm", "secret")
    raw = builders.token(cast.alice, "read")
    with served(tmp_path, workers=1) as portal, contextlib.ExitStack() as lines:
        made = [http.client.HTTPConnection("127.0.0.1", portal.port, timeout=30) for _ in range(6)]  # four threads
        clients = [lines.enter_context(contextlib.closing(one)) for one in made]

        def ask(one: http.client.HTTPConnection) -> int:
            one.request("GET", "/npm/secret", headers=builders.bearer(raw))
            with one.getresponse() as answer:
                answer.read()
                return answer.status

        assert {ask(one) for _ in range(5) for one in clients} == {200}
        tokens.revoke(ApiToken.objects.get(digest=tokens.digest_of(raw)), builders.actor(cast.alice))
        assert {ask(one) for one in clients} == {401}
