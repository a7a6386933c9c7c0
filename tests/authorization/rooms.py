"""The room of the matrix: alice, bob, root and the reader rita belong to `acme` (own), mallory to `elsewhere`."""

import base64
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from accounts import tokens, web_login
from accounts.models import Membership, Project, SigningKey, User
from licensing import keys as sold_keys
from registry import retiring
from registry.models import Package, Release, TrustedPublisher
from registry.upstreams import syncing
from registry.upstreams.models import Upstream
from registry.webhooks.models import Delivery, Message, Webhook
from scanning.models import Advisory, AdvisoryName, Finding, Scan, Waiver
from tests import builders
from tests.authorization import callers
from tests.authorization.callers import Caller
from tests.authorization.rules import PACKAGES
from tests.builders import Cast, KeyPair

SCOPES = {"own": "@acme", "foreign": "@elsewhere"}
READY, WAITING, RETIRED, NEW = "1.0.0", "1.1.0", "0.9.0", "2.0.0"


@dataclass
class Room:
    """What the cells of the matrix ask for."""

    cast: Cast
    carol: User
    packages: dict[str, Package]
    callers: dict[str, Caller]
    uploads: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    signing_keys: dict[tuple[str, str], int] = field(default_factory=dict)
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    waivers: dict[str, int] = field(default_factory=dict)
    licenses: dict[str, str] = field(default_factory=dict)
    webhooks: dict[str, tuple[int, int]] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    sync_run: str = ""
    web_login: tuple[str, str] = ("", "")  # a terminal that waits: the person's address of it, and its own secret
    advisory: str = "GHSA-aaaa-bbbb-cccc"

    def name(self, target: str) -> str:
        """The package that the target means."""
        return self.packages[target].name

    def filename(self, target: str, version: str = READY) -> str:
        """The file of one of its versions."""
        return f"{self.name(target).rpartition('/')[2]}-{version}.tgz"

    def sold_by(self, caller: Caller) -> str:
        """A private package of the project that the caller acts for."""
        return self.name(f"{caller.bound or caller.named or 'own'}-private")

    def waiting(self, target: str) -> Release:
        """The target's version that waits for a decision."""
        return self.packages[target].releases.get(version=WAITING)

    def token_id(self, caller: Caller, target: str) -> str:
        """The caller's own token, another one of theirs, or mallory's."""
        if target == "itself" and caller.is_token:
            return caller.token_id
        return self.tokens[("foreign" if target == "foreign" else "own"), caller.role]

    def key_id(self, caller: Caller, target: str) -> int:
        """A signing key of the caller's, or mallory's."""
        return self.signing_keys[target, "developer" if caller.is_anonymous else caller.role]

    def upload(self, caller: Caller, target: str) -> tuple[bytes, str]:
        """A new version of the target, signed by the caller's key."""
        return self.uploads[target, "developer" if caller.is_anonymous else caller.role]

    def project(self, target: str) -> Project:
        return self.cast.acme if target == "own" else self.cast.elsewhere


def build(cast: Cast, keys: dict[str, KeyPair]) -> Room:
    """Everything that the cells need, once; each cell takes back what it did."""
    carol = builders.user("carol")
    _join(cast, carol)
    packages = _publish_all(cast, keys)
    people = {"developer": cast.alice, "maintainer": cast.bob, "admin": cast.root, "reader": _reader(cast)}
    room = Room(cast, carol, packages, callers.assemble(people))
    for role, person in people.items():
        for target in PACKAGES:
            body = builders.npm_tarball(room.name(target), NEW)
            room.uploads[target, role] = body, base64.b64encode(keys[person.username].sign(body).encode()).decode()
        room.tokens["own", role], room.tokens["foreign", role] = _token_id(person), _token_id(cast.mallory)
        room.signing_keys["own", role] = _key_of(person, keys)
        room.signing_keys["foreign", role] = _key_of(cast.mallory, keys)
    room.waivers = {target: _waiver_id(cast, room.project(target)) for target in ("own", "foreign")}
    room.webhooks = {target: _webhook(room.project(target)) for target in ("own", "foreign")}
    room.pipelines = {
        target: _pipeline(packages[f"{target}-private"], whose)
        for target, whose in (("own", cast.alice), ("foreign", cast.mallory))
    }
    room.sync_run = _sync_run(cast)
    waiting, secret = web_login.begin("192.0.2.1")
    room.web_login = str(waiting.pk), secret
    room.licenses = {"own": _sold(packages, cast.alice), "foreign": _sold(packages, cast.mallory)}
    room.tokens["own", "anonymous"] = room.tokens["own", "developer"]
    room.tokens["foreign", "anonymous"] = room.tokens["foreign", "developer"]
    known = {"osv_id": room.advisory, "modified_at": timezone.now(), "digest": "1", "raw": {"id": room.advisory}}
    AdvisoryName.objects.create(advisory=Advisory.objects.create(**known), name=room.advisory.upper())
    return room


def _join(cast: Cast, carol: User) -> None:
    """Root and carol are members of acme, as bob is; each place has someone to take out."""
    for person, project in ((cast.root, cast.acme), (carol, cast.acme), (carol, cast.elsewhere)):
        Membership.objects.create(project=project, user=person, role=Membership.Role.MEMBER)
    cast.root.default_project = cast.acme
    cast.root.save(update_fields=["default_project"])


def _reader(cast: Cast) -> User:
    """A developer who may look at what acme has, and no more."""
    rita = builders.user("rita", default_project=cast.acme)
    Membership.objects.create(project=cast.acme, user=rita, role=Membership.Role.READER)
    return rita


def _publish_all(cast: Cast, keys: dict[str, KeyPair]) -> dict[str, Package]:
    """In each package an approved version, an unlisted one, and one that waits for a maintainer."""
    made: dict[str, Package] = {}
    for target in PACKAGES:
        release = publish(cast, keys, target, READY)
        assert release.status == Release.Status.APPROVED, release.held_because
        made[target] = release.package
        found = {"identifier": "CVE-2026-1", "ecosystem": "npm", "package": "left-pad", "version": "0.0.1"}
        Finding.objects.create(scan=Scan.objects.get(release=release, is_current=True), severity="low", **found)
        retiring.unlist(builders.release(release.package, RETIRED), builders.actor(cast.root))
    Project.objects.update(review_policy=Project.ReviewPolicy.MANUAL)
    for target in PACKAGES:
        assert publish(cast, keys, target, WAITING).status == Release.Status.PENDING
    Project.objects.update(review_policy=Project.ReviewPolicy.AUTOMATIC)
    return made


def publish(cast: Cast, keys: dict[str, KeyPair], target: str, version: str, **options: object) -> Release:
    """A version of the target by its project's own developer."""
    whose, _, access = target.partition("-")
    person = cast.alice if whose == "own" else cast.mallory
    archive = builders.npm_tarball(f"{SCOPES[whose]}/{access}", version)
    return builders.published(person, keys[person.username], archive, access=access, **options)


def _sold(packages: dict[str, Package], seller: User) -> str:
    actor = builders.actor(seller)
    name = next(one.name for one in packages.values() if one.project == actor.project)
    return str(sold_keys.create(sold_keys.Wanted(packages=(name,)), actor).pk)


def _waiver_id(cast: Cast, project: Project) -> int:
    said = {"identifier": "CVE-2026-0", "ecosystem": "npm", "package": "left-pad", "version_range": "*"}
    end = timezone.now() + timedelta(days=1)
    return Waiver.objects.create(owner=cast.bob, reason="x", project=project, expires_at=end, **said).pk


def _webhook(project: Project) -> tuple[int, int]:
    """A webhook that nothing in the matrix concerns, and what it was told."""
    hook = Webhook.objects.create(project=project, url="https://receiver.example/", events=["license_key.expired"])
    told = Message.objects.create(event="license_key.expired", body="{}")
    return hook.pk, Delivery.objects.create(webhook=hook, message=told, state=Delivery.State.FAILED).pk


def _pipeline(package: Package, owner: User) -> str:
    """A pipeline that the package trusts."""
    said = {"provider": "github", "issuer": "https://issuer.example", "subject": "acme/tools"}
    claims = {"repository": "acme/tools", "workflow_ref": {"file": "release.yml"}}
    return str(TrustedPublisher.objects.create(package=package, created_by=owner, claims=claims, **said).pk)


def _sync_run(cast: Cast) -> str:
    """A run at one upstream; another one, `far`, is free."""
    site = {"kind": "npm", "base_url": "https://far.example", "project": cast.acme}
    for name in ("busy", "far"):
        Upstream.objects.create(name=name, **site)
    return str(syncing.start(builders.actor(cast.alice), "busy").pk)


def _token_id(person: User) -> str:
    found = tokens.resolve(builders.token(person, "read"))
    assert found is not None
    return str(found.pk)


def _key_of(person: User, keys: dict[str, KeyPair]) -> int:
    mine = SigningKey.objects.filter(user=person).first()
    return (mine or builders.registered_key(person, keys[person.username])).pk
