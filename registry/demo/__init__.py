"""Demo content: real packages, told as a story through the same activities that people use."""

import io
from collections.abc import Callable
from io import StringIO, TextIOBase
from pathlib import Path

from django.core.management import call_command
from django.db import transaction
from django.db.models import F

from accounts import asking, auditing, projects, signing_keys, users
from accounts.actors import SYSTEM, Actor
from accounts.models import Project, SigningKey, User
from registry import approving, publishing, submitting, tasks
from registry.demo import sdk
from registry.demo.progress import bar
from registry.demo.story import STORY, Step
from registry.errors import RegistryError
from registry.mirrors.models import Mirror
from registry.models import Package, Release

FOLDER = Path(__file__).parent
PEOPLE = (("alice", "developer"), ("carol", "developer"), ("bob", "maintainer"))
SIGNERS = ("alice", "carol")
PROJECT = "acme"
# beside Frankfurt, which every portal has: region, city, country, latitude, longitude
REGIONS = (
    ("paris", "Paris", "FR", 48.86, 2.35),
    ("stockholm", "Stockholm", "SE", 59.33, 18.07),
    ("warsaw", "Warsaw", "PL", 52.23, 21.01),
)


def load(out: TextIOBase) -> str:
    """Tell what has not been told yet, with progress on `out`; returns how it ended, in a few words."""
    missing = _untold()
    if not missing:
        return f"{len(STORY)} versions, up to date"
    if _is_somebody_elses():
        return "left out: this portal has content of its own"
    actors = _gather()
    _stand_in_europe()
    call_command("advisories", "import", str(FOLDER / "advisories"), verbosity=0, stdout=StringIO())
    left = [problem for step in bar(missing, out, _title) if (problem := _tell(step, actors))]
    return f"{len(STORY)} versions" + "".join(f"; {problem}" for problem in left)


def _untold() -> list[Step]:
    names = [step.name for step in STORY]
    known = Release.objects.filter(package__name__in=names).values_list(
        F("package__ecosystem"), F("package__name"), "version"
    )
    told = set(known)
    return [step for step in STORY if (step.ecosystem, step.name, step.version) not in told]


def _is_somebody_elses() -> bool:
    """Whether people work here already: packages or an alice that no demo made."""
    ours = SigningKey.objects.filter(public_key__in=[_public_key(name) for name in SIGNERS])
    if ours.exists():
        return False
    return Package.objects.exists() or User.objects.filter(username__in=[name for name, _ in PEOPLE]).exists()


def _title(step: Step) -> str:
    return f"{step.name} {step.version}"


# --- the people ---------------------------------------------------------------------------------------------------
def _gather() -> dict[str, Actor]:
    """The people of the demo, who have no password, in their project, with the keys they sign with."""
    people = {name: _person(name, role) for name, role in PEOPLE}
    acme = Project.objects.filter(slug=PROJECT).first() or projects.create(
        PROJECT, people["alice"], SYSTEM, name="Acme", tier="enterprise"
    )
    for name, user in people.items():
        if name != "alice":
            projects.add_member(acme, user, SYSTEM)
        if user.default_project_id != acme.pk:
            projects.choose_default(user, acme, SYSTEM)
        user.refresh_from_db()
    actors = {name: asking.session_actor(user) for name, user in people.items()}
    for name in SIGNERS:
        if not people[name].signing_keys.filter(removed_at__isnull=True).exists():
            signing_keys.register(people[name], "demo", _public_key(name), actors[name])
    return actors


def _person(name: str, role: str) -> User:
    found = User.objects.filter(username=name).first()
    return found or users.create(name, f"{name}@example.com", SYSTEM, role=role)


def _public_key(name: str) -> str:
    return (FOLDER / "packages" / f"{name}.pub").read_text().strip()


def _stand_in_europe() -> None:
    """Three more regions, each in a directory of its own."""
    for region, city, country, latitude, longitude in REGIONS:
        with transaction.atomic():
            place = {"city": city, "country": country, "latitude": latitude, "longitude": longitude}
            mirror, is_new = Mirror.objects.get_or_create(region=region, defaults=place)
            if is_new:
                auditing.record("mirror.added", f"mirror:{mirror.region}", SYSTEM)


# --- what they do -------------------------------------------------------------------------------------------------
def _tell(step: Step, actors: dict[str, Actor]) -> str:
    """Bring the package in, let the checks run, decide. Returns what went otherwise than told, or ""."""
    enter: Callable[[Step, Actor], Release] = _publish if step.is_published else _submit
    try:
        release = enter(step, actors[step.by])
        tasks.drain()
        if step.decision == "approve":
            approving.approve(release, actors["bob"], reason=step.reason)
        elif step.decision == "reject":
            approving.reject(release, actors["bob"], reason=step.reason)
    except RegistryError as problem:
        return f"{_title(step)}: {problem.message}"
    return ""


def _publish(step: Step, actor: Actor) -> Release:
    if step.name == sdk.NAME:
        return _publish_sdk(step, actor)
    path = FOLDER / "packages" / step.file
    signature = path.with_name(path.name + ".sig").read_text()
    with path.open("rb") as stream, publishing.receive(stream) as staged:
        return publishing.publish_upload(
            staged, actor, signature=signature, category=step.category, filename=path.name
        )


def _publish_sdk(step: Step, actor: Actor) -> Release:
    """Ours is packed here and now; its key is registered for this one signature."""
    made = sdk.signed(sdk.packed())
    if actor.user is not None:
        signing_keys.register(actor.user, f"{step.name} {step.version}", made.public_key, actor)
    with publishing.receive(io.BytesIO(made.archive)) as staged:
        return publishing.publish_upload(
            staged, actor, signature=made.signature, category=step.category, filename=step.file
        )


def _submit(step: Step, actor: Actor) -> Release:
    asked = submitting.Submission(step.ecosystem, step.name, step.version, category=step.category, note=step.asked_for)
    with (FOLDER / "packages" / step.file).open("rb") as stream, publishing.receive(stream) as staged:
        return submitting.submit(asked, actor, staged)
