"""Permissions of tokens on products: each by every route, how far they go, and that no door leads round."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import projects, tokens, users
from accounts.actors import SYSTEM
from accounts.models import ApiToken, AuditEvent
from licensing import keys, minting
from registry import downloading, grants, products, resolving
from registry.errors import Forbidden
from registry.grants import Permissions
from tests import builders
from tests.authorization import routes
from tests.authorization.declared_products import PRODUCTS
from tests.authorization.watching import undone
from tests.protocols.products.conftest import Pipeline, Pipelines

NONE, MAINTAINER, DOWNLOAD, UPLOAD, DELETE = "none", "maintainer", "download", "upload", "delete"
WORDS = (NONE, MAINTAINER, DOWNLOAD, UPLOAD, DELETE)
ANY = {MAINTAINER, DOWNLOAD, UPLOAD, DELETE}


@dataclass(frozen=True)
class Cell:
    """One request about the product, the permissions that open it, and what it answers when it is done."""

    method: str
    path: str
    allowed: frozenset[str] | set[str]
    done: int
    body: dict[str, Any] | None = None


def cells(other: str) -> list[Cell]:
    """Every route that is about a product. `other` is the token that is granted something."""
    version = {"product": "tool", "version": "v1.0.0"}
    modify = "/product/modify/"
    rule = {"product": "tool", "keepVersions": 3, "keepDays": None}
    grant = {"product": "tool", "token": other, "permissions": {"download": True}}
    return [
        Cell("GET", "/product/fetch/tool", ANY, 200),
        Cell("GET", "/product/download/tool/v1.0.0", {DOWNLOAD}, 200),
        Cell("GET", "/api/v1/packages/tool/versions/v1.0.0/download", {DOWNLOAD}, 200),
        Cell("GET", "/api/v1/packages/tool/versions/v1.0.0/files/tool.tar.gz", {DOWNLOAD}, 200),
        Cell("POST", "/product/upload", {UPLOAD}, 201),
        Cell("DELETE", "/product/delete/tool/v1.0.0", {DELETE}, 204),
        Cell("DELETE", modify + "deleteVersion", {DELETE}, 200, version),
        Cell("DELETE", "/product/delete/tool", {MAINTAINER}, 204),
        Cell("PUT", modify + "addToken", {MAINTAINER}, 201, grant),
        Cell("DELETE", modify + "deleteToken", {MAINTAINER}, 204, {"product": "tool", "token": other}),
        Cell("PUT", modify + "setRetention", {MAINTAINER}, 200, rule),
        Cell("PUT", modify + "pinVersion", {MAINTAINER}, 200, version),
        Cell("DELETE", modify + "unpinVersion", {MAINTAINER}, 200, version),
    ]


def ask(cell: Cell, client: Pipeline) -> tuple[int, Any]:
    """Ask and take back what it did."""
    with undone() as seen:
        if cell.path == "/product/upload":
            answer = client.upload("tool", "v9")
        elif cell.body is not None:
            answer = client.send(cell.method, cell.path, cell.body)
        else:
            answer = client.generic(cell.method, cell.path)
        if answer.streaming:
            b"".join(answer.streaming_content)
    return answer.status_code, seen


def expected(cell: Cell, who: str) -> int:
    """What the cell answers to a token with this one permission, or to somebody else."""
    if who == "nobody":
        return 401 if cell.path.startswith("/product") else 404
    if who == "stranger":
        return 404
    if who in ("admin", "all") or who in cell.allowed:
        return cell.done
    return 403


def test_every_permission_opens_its_routes_and_no_other(pipelines: Pipelines, pipeline, tool, cast):
    """Each cell of permission × route, and of others × route; what is refused leaves one event and no row."""
    other = pipelines.second
    assert pipelines.alice.grant(tool, other.raw, DOWNLOAD).status_code == 201
    clients = {word: pipeline(cast.alice, name=word) for word in WORDS}
    for word in WORDS[1:]:
        assert pipelines.alice.grant(tool, clients[word].raw, word).status_code == 201
    clients |= {"all": pipelines.alice, "admin": pipelines.root}
    clients |= {"stranger": pipelines.mallory, "nobody": pipelines.nobody}
    wrong, asked = [], 0
    for cell in cells(other.raw):
        for who, client in clients.items():
            status, seen = ask(cell, client)
            asked += 1
            where = f"{cell.method} {cell.path} {who}: {status}"
            if status != expected(cell, who):
                wrong.append(f"{where}, declared {expected(cell, who)}")
            elif status >= 400 and (seen.tables or seen.done):
                wrong.append(f"{where} wrote to {seen.tables}")
            elif status in (401, 403) and cell.method != "GET" and seen.refused != 1:
                wrong.append(f"{where} left {seen.refused} events of the refusal")
    assert wrong == [], "\n".join(wrong)
    assert asked == 13 * 9


def test_every_route_of_products_is_declared():
    assert sorted(routes.products()) == sorted(PRODUCTS)


def test_roles_and_scopes_decide_before_a_product_is_looked_for(pipelines: Pipelines, pipeline, cast):
    """`read` does not publish, `publish` does not register; nobody does anything."""
    reader, publisher = pipeline(cast.alice, "read"), pipeline(cast.alice, "publish")
    assert pipelines.nobody.upload("x", "1").status_code == 401
    assert reader.send("PUT", "/product/create", {"name": "x"}).status_code == 403
    assert reader.upload("x", "1").status_code == 403
    assert publisher.send("PUT", "/product/create", {"name": "x"}).status_code == 201
    assert publisher.upload("x", "1").status_code == 201
    assert publisher.download("x", "1").status_code == 403  # granted, but the scope `read` is missing
    for client in (reader, publisher, pipeline(cast.root, "read", "publish")):
        assert client.send("PUT", "/register", {}).status_code == 403


def test_revoked_and_expired_tokens_have_nothing_and_are_told_of_no_more(pipelines: Pipelines, tool):
    pipelines.alice.grant(tool, pipelines.second.raw, "download")
    ApiToken.objects.filter(digest=pipelines.second.digest).update(expires_at=timezone.now())

    assert pipelines.second.download(tool, "v1.0.0").status_code == 403
    assert list(pipelines.alice.get("/product/fetch/tool").json()["tokens"]) == [pipelines.alice.digest]
    assert pipelines.alice.grant(tool, pipelines.second.raw, "download").status_code == 404


def test_a_token_of_another_project_gets_what_it_was_granted_at_this_door_alone(pipelines: Pipelines, tool):
    mallory = pipelines.mallory
    assert mallory.download(tool, "v1.0.0").status_code == 404

    assert pipelines.alice.grant(tool, mallory.raw, "download", "upload").status_code == 201

    assert mallory.download(tool, "v1.0.0").status_code == 200
    assert mallory.upload(tool, "v2").status_code == 201
    assert mallory.get("/product/access").json() == [tool]
    assert mallory.get("/api/v1/packages/tool").status_code == 404
    assert mallory.download(tool, "v1.0.0", **{"X-Project-ID": "elsewhere"}).status_code in (403, 404)
    assert mallory.delete("/product/delete/tool/v2").status_code == 403


def test_what_was_shared_ends_with_the_place_of_whoever_shared_it(pipelines: Pipelines, tool, pipeline, cast):
    bob, mallory = pipeline(cast.bob), pipelines.mallory
    pipelines.alice.grant(tool, bob.raw, "maintainer", "download")
    bob.grant(tool, mallory.raw, "download", "upload", "maintainer")
    carol = pipeline(builders.user("carol"))
    assert mallory.grant(tool, carol.raw, "download").status_code == 201
    assert carol.download(tool, "v1.0.0").status_code == 200

    projects.add_member(cast.acme, cast.bob, SYSTEM, role="reader")
    assert mallory.download(tool, "v1.0.0").status_code == 200
    assert mallory.upload(tool, "v2").status_code == 403
    assert bob.grant(tool, mallory.raw, "upload").status_code == 403

    projects.remove_member(cast.acme, cast.bob, SYSTEM)
    for client in (mallory, carol, bob):
        assert client.download(tool, "v1.0.0").status_code in (403, 404)


def test_who_leaves_the_project_leaves_no_token_that_works(pipelines: Pipelines, tool, pipeline, cast):
    bob = pipeline(cast.bob)
    pipelines.alice.grant(tool, bob.raw, "download", "upload", "delete", "maintainer")
    assert bob.upload(tool, "v2").status_code == 201

    projects.remove_member(cast.acme, cast.bob, SYSTEM)

    assert bob.download(tool, "v2").status_code == bob.upload(tool, "v3").status_code == 403
    assert bob.delete("/product/delete/tool").status_code == 403


def test_bound_tokens_stay_in_their_project(pipelines: Pipelines, tool, pipeline, cast):
    bound = pipeline(cast.alice, project=cast.acme)
    assert pipelines.alice.grant(tool, bound.raw, "download").status_code == 201
    assert bound.download(tool, "v1.0.0").status_code == 200
    elsewhere = pipeline(cast.mallory, project=cast.elsewhere)
    assert pipelines.alice.grant(tool, elsewhere.raw, "download").status_code == 400
    admin = pipeline(cast.root, "admin", project=projects.default_for(cast.root))
    assert admin.download(tool, "v1.0.0").status_code == 404


def test_people_at_the_portal_act_by_their_role_in_the_project(tool, cast):
    rita = builders.user("rita")
    projects.add_member(cast.acme, rita, SYSTEM, role="reader")
    everything, reading, nothing = Permissions(True, True, True, True), Permissions(download=True), Permissions()
    package = products.find(tool, SYSTEM)
    declared = {cast.alice: everything, cast.root: everything, rita: reading, cast.mallory: nothing}

    assert {person: grants.of(package, builders.actor(person)) for person in declared} == declared
    users.change_role(cast.mallory, "maintainer", SYSTEM)  # who reviews everything reads it, and no more
    assert grants.of(package, builders.actor(cast.mallory)) == reading


def test_nobody_slips_a_version_into_a_product_by_another_door(pipelines: Pipelines, tool, cast):
    asked = {"name": tool, "version": "v2", "ecosystem": "generic"}
    for client in (pipelines.alice, pipelines.mallory, pipelines.root):
        assert client.send("POST", "/api/v1/packages", asked).status_code == 403
    release = resolving.find_release(products.find(tool, SYSTEM), "v1.0.0", SYSTEM)
    with pytest.raises(Forbidden, match="may not download"):
        downloading.open_artifact(release, _actor(pipelines.second))


def test_a_sold_key_is_told_of_the_versions_that_it_covers_and_of_no_tokens(pipelines: Pipelines, tool, cast):
    for version in ("1.0.0", "2.0.0"):
        assert pipelines.alice.upload(tool, version).status_code == 201
    wanted = keys.Wanted(packages=(tool,), constraint="version", range="<2")
    holder = Pipeline(minting.unseal(keys.create(wanted, builders.actor(cast.alice)).sealed))

    told = holder.get(f"/product/fetch/{tool}").json()
    assert (list(told["versions"]), told["tokens"]) == (["v1.0.0", "1.0.0"], {})
    assert [holder.download(tool, version).status_code for version in ("1.0.0", "2.0.0")] == [200, 403]


def test_who_is_granted_something_while_the_product_goes_has_nothing_when_it_comes_back(pipelines: Pipelines, tool):
    gone: list[int] = []

    def meanwhile(execute: Any, sql: str, params: Any, *more: Any) -> Any:
        """The product goes once the right to grant was seen, just before the token is looked for."""
        if not gone and pipelines.second.digest in str(params):
            gone.append(0)
            gone.append(pipelines.root.delete(f"/product/delete/{tool}").status_code)
        return execute(sql, params, *more)

    with connection.execute_wrapper(meanwhile):
        answer = pipelines.alice.grant(tool, pipelines.second.digest, "maintainer", "download")
    assert (gone, answer.status_code) == ([0, 204], 404)
    assert pipelines.alice.send("PUT", "/product/create", {"name": tool}).status_code == 201
    assert pipelines.second.get("/product/access").json() == []


def test_what_is_told_of_products_stays_in_no_cache(pipelines: Pipelines, tool):
    for path in ("/product/access", f"/product/fetch/{tool}", f"/fetch/{pipelines.alice.digest}"):
        assert pipelines.alice.get(path)["Cache-Control"] == "no-store"


def test_grants_are_told_in_the_audit_trail_without_the_token(pipelines: Pipelines, tool):
    pipelines.alice.grant(tool, pipelines.second.raw, "download")

    event = AuditEvent.objects.get(action="product.granted")
    assert (event.object, event.project, event.details["download"]) == ("generic:tool", "acme", True)
    assert pipelines.second.raw[12:] not in str(event.details)


def _actor(client: Pipeline) -> Any:
    token = tokens.resolve(client.raw)
    assert token is not None
    return replace(builders.actor(token.user, "read", "publish", kind="token"), credential_id=str(token.pk))
