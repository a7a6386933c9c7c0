"""The products API as its clients know it: every route, body, status and name of a file (contract section 10)."""

import hashlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils.http import parse_header_parameters

from accounts import tokens
from accounts.models import ApiToken, AuditEvent
from registry import resolving, searching, storage, tasks
from registry.models import Artifact, Blob, Package, Release
from tests import builders
from tests.protocols.products.conftest import Pipeline, Pipelines
from tests.registry import invariants

CHECKSUM = "sha256:" + hashlib.sha256(b"the first build").hexdigest()
FLAGS = {"maintainer": False, "download": True, "upload": False, "delete": False}


def test_an_admin_registers_tokens_which_are_the_portals_own(pipelines: Pipelines, cast):
    answer = pipelines.root.send("PUT", "/register", {"admin": False})

    raw = answer.content.decode()
    kept = tokens.resolve(raw)
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (201, "text/plain", "no-store")
    assert kept is not None
    assert (kept.user, kept.scopes, (kept.expires_at - kept.created_at).days) == (cast.root, ["publish", "read"], 90)
    assert tokens.resolve(pipelines.root.send("PUT", "/register", {"admin": True}).content.decode()).scopes == [
        "admin"
    ]
    assert tokens.resolve(pipelines.root.put("/register").content.decode()).scopes == ["publish", "read"]
    assert pipelines.alice.send("PUT", "/register", {"admin": False}).status_code == 403
    assert pipelines.nobody.send("PUT", "/register", {"admin": False}).status_code == 401
    bad: list[Any] = [{"admin": "yes"}, {"admin": False, "name": "x"}, [], {"admin": None}]
    for body in bad:
        assert pipelines.root.send("PUT", "/register", body).status_code == 400


def test_a_token_is_looked_up_by_admins_and_by_itself(pipelines: Pipelines):
    alice, root = pipelines.alice, pipelines.root

    assert root.get(f"/fetch/{alice.raw}").json() == {"token": alice.raw, "admin": False}
    assert alice.get(f"/fetch/{alice.raw}").json() == {"token": alice.raw, "admin": False}
    assert root.get(f"/fetch/{root.raw}").json()["admin"] is True
    assert root.get("/fetch/sk_live_unknown").status_code == 404
    assert alice.get(f"/fetch/{root.raw}").status_code == alice.get("/fetch/unknown").status_code == 403
    assert pipelines.nobody.get(f"/fetch/{alice.raw}").status_code == 401


def test_a_pruned_token_is_dead_at_once(pipelines: Pipelines):
    assert pipelines.alice.delete(f"/prune/{pipelines.second.raw}").status_code == 403
    assert pipelines.root.delete(f"/prune/{pipelines.second.raw}").status_code == 204
    assert pipelines.second.get("/product/access").status_code == 403
    assert pipelines.root.delete(f"/prune/{pipelines.second.raw}").status_code == 404


def test_an_admin_s_token_that_is_bound_to_a_project_governs_no_tokens_of_others(pipelines: Pipelines, pipeline, cast):
    bound = pipeline(cast.root, "admin", project=cast.root.default_project)
    for other in (pipelines.alice.raw, pipelines.alice.digest):
        assert bound.get(f"/fetch/{other}").status_code == 404
        assert bound.delete(f"/prune/{other}").status_code == 404
    assert pipelines.alice.get("/product/access").status_code == 200
    assert bound.delete(f"/prune/{pipelines.root.raw}").status_code == 204


def test_who_is_no_admin_any_more_holds_no_admin_s_token(pipelines: Pipelines, cast):
    raw = builders.token(cast.root, "admin", "read")
    cast.root.role = "developer"
    cast.root.save()
    assert Pipeline(raw).get(f"/fetch/{raw}").json()["admin"] is False


def test_raw_tokens_in_addresses_are_written_down_nowhere(pipelines: Pipelines, caplog):
    asked, raw = pipelines.second, pipelines.alice.raw
    statuses = [
        pipelines.nobody.delete(f"/prune/{raw}").status_code,
        asked.delete(f"/prune/{raw}").status_code,
        asked.get(f"/fetch/{raw}").status_code,
        asked.post(f"/fetch/{raw}").status_code,
        pipelines.root.delete(f"/prune/{raw}").status_code,
        pipelines.root.get(f"/fetch/{raw}").status_code,
    ]

    assert statuses == [401, 403, 403, 405, 204, 404]
    told = str(list(AuditEvent.objects.values("object", "action", "details")))
    assert told.count("/prune/…") == 2
    assert raw[12:] not in told
    assert raw[12:] not in caplog.text


def test_a_product_is_a_private_generic_package_like_any_other(pipelines: Pipelines, tool, cast):
    package = Package.objects.get(name=tool)
    release = package.releases.get()

    assert (package.ecosystem, package.visibility, package.project) == ("generic", "private", cast.acme)
    assert (release.origin, release.status, package.latest_version) == ("published", "approved", "v1.0.0")
    assert {check.status for check in release.checks.all()} == {"skipped"}
    assert release.decisions.get().by_name == "policy"
    for person, found in ((cast.alice, 1), (cast.bob, 1), (cast.mallory, 0)):
        assert len(list(searching.search(searching.Query(search="tool"), builders.actor(person)))) == found
    assert pipelines.alice.get("/api/v1/packages/tool").json()["versions"][0]["sha256"] == CHECKSUM[7:]
    assert pipelines.mallory.get("/api/v1/packages/tool").status_code == 404


def test_creating_twice_or_badly_is_refused(pipelines: Pipelines, tool):
    create = ("PUT", "/product/create")

    assert pipelines.second.send(*create, {"name": tool}).status_code == 409
    assert pipelines.mallory.send(*create, {"name": "TOOL"}).status_code == 409
    for name in ("", ".", "..", "a/b", "ä", "a" * 129, 7, None, "a b", "a\x00b"):
        assert pipelines.alice.send(*create, {"name": name}).status_code == 400, name
    bad: list[Any] = [{}, [], {"name": "x", "owner": "me"}, {"name": "x", "keepDays": 0}]
    for body in bad:
        assert pipelines.alice.send(*create, body).status_code == 400
    assert pipelines.nobody.send(*create, {"name": "x"}).status_code == 401
    assert pipelines.alice.put("/product/create", "name=x", "text/plain").status_code == 415
    assert pipelines.alice.send("POST", "/product/create", {"name": "x"}).status_code == 405


def test_a_product_is_told_with_its_tokens_by_digest_and_its_versions(pipelines: Pipelines, tool):
    path = "./products/tool/v1.0.0/tool.tar.gz"
    everything = dict.fromkeys(FLAGS, True)

    assert pipelines.alice.get(f"/product/fetch/{tool}").json() == {
        "name": "tool",
        "tokens": {pipelines.alice.digest: everything},
        "versions": {"v1.0.0": {"path": path, "checksum": CHECKSUM}},
    }
    assert pipelines.alice.get("/product/access").json() == pipelines.root.get("/product/access").json() == ["tool"]
    assert pipelines.second.get("/product/access").json() == []
    assert pipelines.nobody.get("/product/access").status_code == 401
    for asked, status in ((pipelines.second, 403), (pipelines.mallory, 404), (pipelines.nobody, 401)):
        assert asked.get(f"/product/fetch/{tool}").status_code == status
    assert pipelines.alice.get("/product/fetch/other").status_code == 404


def test_a_version_is_downloaded_under_its_own_name_whole_and_in_parts(pipelines: Pipelines, tool):
    whole = pipelines.alice.download(tool, "v1.0.0")

    assert b"".join(whole.streaming_content) == b"the first build"
    assert whole["Content-Type"] == "application/octet-stream"
    assert whole["Content-Disposition"] == 'attachment; filename="tool.tar.gz"'
    assert whole["X-Checksum-Sha256"] == CHECKSUM[7:]
    assert whole["Cache-Control"].startswith("private")
    part = pipelines.alice.download(tool, "v1.0.0", Range="bytes=4-8")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"first")
    assert pipelines.alice.download(tool, "v1.0.0", **{"If-None-Match": whole["ETag"]}).status_code == 304
    for name, version in ((tool, "v2"), (tool, "latest"), ("other", "v1.0.0"), (tool, "..")):
        assert pipelines.alice.download(name, version).status_code == 404, (name, version)


NAMES = {
    "Bericht für März (final) “v2”.tar.gz": "Bericht für März (final) “v2”.tar.gz",
    "日本語 ビルド.zip": "日本語 ビルド.zip",
    'say "hi".txt': 'say "hi".txt',
    "../../../etc/passwd": "passwd",
    "C:\\builds\\tool.exe": "tool.exe",
    "..": "tool-v5",
    "a\u202egnp.exe": "agnp.exe",
    "x" * 300: "x" * 255,
}
FORM = (
    '--b\r\nContent-Disposition: form-data; name="product"\r\n\r\ntool\r\n'
    '--b\r\nContent-Disposition: form-data; name="version"\r\n\r\n{version}\r\n'
    '--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nbytes\r\n--b--\r\n'
)


def test_the_name_of_a_file_survives_and_leads_nowhere(pipelines: Pipelines, tool, tmp_path):
    for number, (sent, kept) in enumerate(NAMES.items()):
        quoted = sent.replace("\\", "\\\\").replace('"', "%22")
        body = FORM.format(version=f"v{number}", name=quoted).encode()
        answer = pipelines.alice.generic("POST", "/product/upload", body, "multipart/form-data; boundary=b")

        assert (answer.status_code, answer.json()["path"]) == (201, f"./products/tool/v{number}/{kept}")
        downloaded = pipelines.alice.download("tool", f"v{number}")
        assert parse_header_parameters(downloaded["Content-Disposition"])[1]["filename"] == kept
        assert storage.local_path(Artifact.objects.get(filename=kept).blob).is_relative_to(tmp_path / "blobs")


def test_an_upload_is_refused_for_what_is_wrong_with_it_and_leaves_nothing(pipelines: Pipelines, tool):
    alice = pipelines.alice
    blobs = Blob.objects.count()

    assert alice.upload(tool, "v1.0.0", b"other bytes").status_code == 409
    for version in (".", "..", "a/b", "v 1", "ä", "x" * 129, ""):
        assert alice.upload(tool, version).status_code == 400, version
    assert alice.upload("other", "v1").status_code == 404
    assert alice.upload(tool, "v2", note="x").status_code == 400
    for missing in ("product", "version", "file"):
        parts = {"product": tool, "version": "v2", "file": SimpleUploadedFile("x", b"x")}
        del parts[missing]
        body = encode_multipart(BOUNDARY, parts)
        assert alice.generic("POST", "/product/upload", body, MULTIPART_CONTENT).status_code == 400, missing
    assert alice.send("POST", "/product/upload", {"product": tool}).status_code == 415
    assert pipelines.nobody.upload(tool, "v2").status_code == 401
    assert pipelines.mallory.upload(tool, "v2").status_code == 404
    assert (Blob.objects.count(), Release.objects.count(), invariants.staged()) == (blobs, 1, [])


def test_versions_of_any_fair_name_and_files_of_any_content_are_taken(pipelines: Pipelines, tool):
    for version in ("1.0.0+build.7", "nightly_2026-11-21", "~".replace("~", "-"), "x" * 128, "latest"):
        assert pipelines.alice.upload(tool, version, b"PK\x03\x04 no zip").status_code == 201, version
        assert pipelines.alice.download(tool, version).status_code == 200, version


def test_a_deleted_version_is_gone_at_once_and_its_name_stays_used(pipelines: Pipelines, tool):
    alice = pipelines.alice
    alice.upload(tool, "v2", b"the first build")

    assert alice.delete("/product/delete/tool/v1.0.0").status_code == 204
    assert alice.download(tool, "v1.0.0").status_code == 404
    assert alice.delete("/product/delete/tool/v1.0.0").status_code == 404
    assert list(alice.get("/product/fetch/tool").json()["versions"]) == ["v2"]
    assert alice.upload(tool, "v1.0.0").status_code == 409
    assert alice.get("/api/v1/packages/tool/versions/v1.0.0/download").status_code == 410
    gone = {"product": tool, "version": "v2"}
    assert alice.send("DELETE", "/product/modify/deleteVersion", gone).status_code == 200
    assert alice.send("DELETE", "/product/modify/deleteVersion", gone).status_code == 404
    assert not Artifact.objects.exclude(blob=None).exists()


def test_a_deleted_product_is_gone_and_only_its_project_makes_it_again(pipelines: Pipelines, tool, cast, pipeline):
    create = ("PUT", "/product/create", {"name": tool})

    assert pipelines.second.delete("/product/delete/tool").status_code == 403
    assert pipelines.alice.delete("/product/delete/tool").status_code == 204
    for asked in (pipelines.alice, pipelines.root):
        assert asked.get("/product/fetch/tool").status_code == 404
        assert asked.get("/product/access").json() == []
    assert pipelines.mallory.send(*create).status_code == 409
    assert pipelines.second.send(*create).status_code == 201
    assert pipelines.second.upload(tool, "v1.0.0").status_code == 409
    assert pipelines.second.upload(tool, "v1.0.1").status_code == 201
    assert pipelines.alice.get("/product/fetch/tool").status_code == 403


def test_permissions_are_given_and_taken_by_token_or_digest(pipelines: Pipelines, tool):
    alice, second = pipelines.alice, pipelines.second

    assert alice.grant(tool, second.raw, "download").json() == FLAGS
    assert second.download(tool, "v1.0.0").status_code == 200
    assert alice.get("/product/fetch/tool").json()["tokens"][second.digest] == FLAGS
    taken = {"product": tool, "token": second.digest}
    assert alice.send("DELETE", "/product/modify/deleteToken", taken).status_code == 204
    assert second.download(tool, "v1.0.0").status_code == 403
    assert alice.send("DELETE", "/product/modify/deleteToken", taken).status_code == 404
    assert alice.grant(tool, second.digest, "upload").status_code == 201
    assert alice.send("DELETE", "/product/modify/deleteToken", taken | {"token": second.raw}).status_code == 204
    assert alice.grant(tool, "sk_live_unknown", "download").status_code == 404
    assert alice.grant("other", second.raw, "download").status_code == 404
    for body in ({}, {"product": tool, "token": second.raw, "permissions": {"download": "yes"}},
                 {"product": tool, "token": second.raw, "permissions": {"owner": True}}):  # fmt: skip
        assert alice.send("PUT", "/product/modify/addToken", body).status_code == 400


def test_unknown_actions_and_wrong_methods_are_told_apart(pipelines: Pipelines):
    declared = {
        400: ["PUT anything", "DELETE anything"],
        405: ["PUT deleteToken", "PUT deleteVersion", "DELETE addToken", "POST addToken", "GET addToken"],
    }
    for status, asked in declared.items():
        for method, action in map(str.split, asked):
            assert pipelines.alice.send(method, f"/product/modify/{action}", {}).status_code == status, asked
    assert pipelines.nobody.send("PUT", "/product/modify/anything", {}).status_code == 401


def test_a_rotated_token_keeps_what_it_was_granted(pipelines: Pipelines, tool, cast):
    old = tokens.resolve(pipelines.alice.raw)
    assert old is not None

    _, raw = tokens.rotate(old, 0, builders.actor(cast.alice))

    assert type(pipelines.alice)(raw).upload(tool, "v2").status_code == 201
    assert pipelines.alice.upload(tool, "v3").status_code == 403


def test_what_products_leave_is_sound(pipelines: Pipelines, tool):
    pipelines.alice.upload(tool, "v2", b"second")
    pipelines.alice.delete("/product/delete/tool/v2")
    tasks.drain()

    assert resolving.find_release(Package.objects.get(), "v1.0.0", builders.actor(ApiToken.objects.first().user))
    invariants.hold(settled=False)
