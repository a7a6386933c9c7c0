"""Handing a package to another project: the new team has it, the old one has lost it, at once and everywhere."""

import io

import pytest
from django.test import Client

from accounts import auditing
from accounts.actors import SYSTEM
from accounts.errors import Forbidden
from accounts.models import AuditEvent
from registry import documents, publishing, searching, transferring
from registry.models import Document, Package, Release
from tests import builders
from tests.builders import actor, bearer

pytestmark = pytest.mark.django_db
PATH = "/api/v1/packages/rocket"


@pytest.fixture
def rocket(cast, tmp_path) -> Package:
    """A private package of acme, which alice published."""
    archive = builders.npm_tarball("rocket")
    return builders.published(cast.alice, builders.key_pair(tmp_path), archive, access="private").package


def statuses(raw: str) -> list[int]:
    """Reading it, its version and its file, and finding it."""
    client = Client(headers=bearer(raw))
    paths = (PATH, f"{PATH}/versions/1.0.0", f"{PATH}/versions/1.0.0/download", f"{PATH}/resolve?range=*")
    return [*(client.get(path).status_code for path in paths), client.get("/api/v1/packages").json()["total"]]


def test_the_old_team_loses_it_at_once_and_the_new_one_has_it(cast, rocket):
    olds, news = builders.token(cast.alice), builders.token(cast.mallory)
    assert (statuses(olds), statuses(news)) == ([200, 200, 200, 200, 1], [404, 404, 404, 404, 0])
    transferring.transfer(rocket, cast.elsewhere, actor(cast.root))
    assert (statuses(olds), statuses(news)) == ([404, 404, 404, 404, 0], [200, 200, 200, 200, 1])
    stored = Document.objects.get(package=rocket, kind="detail")
    assert (stored.project, stored.private) == (cast.elsewhere, True)
    assert searching.count(searching.Query(search="rocket"), actor(cast.alice)) == 0


def test_nobody_of_the_old_team_publishes_another_version_and_the_new_one_does(cast, rocket, tmp_path):
    transferring.transfer(rocket, cast.elsewhere, actor(cast.root))
    body = builders.npm_tarball("rocket", "1.1.0")
    for name in ("alice", "mallory"):
        (tmp_path / name).mkdir()
    key = builders.key_pair(tmp_path / "alice")
    builders.registered_key(cast.alice, key, "second")
    with pytest.raises(Forbidden, match="belongs to another project"), publishing.receive(io.BytesIO(body)) as staged:
        publishing.publish_upload(staged, actor(cast.alice), signature=key.sign(body))
    made = builders.published(cast.mallory, builders.key_pair(tmp_path / "mallory"), body)
    assert (made.project, made.package.pk) == (cast.elsewhere, rocket.pk)


def test_versions_stay_as_they_were_and_follow_the_new_policies(cast, rocket):
    transferring.transfer(rocket, cast.elsewhere, actor(cast.root))
    release = Release.objects.get(package=rocket)
    assert (release.status, release.project) == ("approved", cast.elsewhere)
    assert not rocket.maintainers.exists()
    event = AuditEvent.objects.get(action="package.transferred")
    assert (event.details, event.project) == ({"from": "acme", "to": "elsewhere"}, "elsewhere")
    assert auditing.verify() == []
    transferring.transfer(rocket, cast.elsewhere, SYSTEM)
    assert AuditEvent.objects.filter(action="package.transferred").count() == 1


def test_a_writer_who_holds_an_old_copy_does_not_give_it_back(cast, rocket):
    """A check that was under way when the package went rebuilds its documents for the project that has it now."""
    old = Package.objects.select_related("project").get(pk=rocket.pk)
    transferring.transfer(rocket, cast.elsewhere, actor(cast.root))
    documents.rebuild(old)
    assert Document.objects.get(package=rocket, kind="detail").project == cast.elsewhere
    assert Package.objects.get(pk=rocket.pk).project == cast.elsewhere


def test_only_an_admin_at_the_portal_hands_it_over(cast, rocket):
    others = [actor(cast.alice), actor(cast.bob), actor(cast.mallory), actor(cast.root, "admin", kind="token")]
    for who in others:
        with pytest.raises(Forbidden):
            transferring.transfer(rocket, cast.elsewhere, who)
    assert Package.objects.get(pk=rocket.pk).project == cast.acme


def test_the_admin_hands_it_over_on_the_package_page(cast, rocket):
    client = Client()
    client.force_login(cast.root)
    inlines = {f"{name}-{count}_FORMS": "0" for name in ("maintainers", "dist_tags") for count in ("TOTAL", "INITIAL")}
    form = {"project": cast.elsewhere.pk, "visibility": "private", "category": "", **inlines}
    answer = client.post(f"/admin/registry/package/{rocket.pk}/change/", form)
    assert answer.status_code == 302
    assert Package.objects.get(pk=rocket.pk).project == cast.elsewhere
    assert Release.objects.get(package=rocket).project == cast.elsewhere
    assert AuditEvent.objects.filter(action="package.transferred").count() == 1
