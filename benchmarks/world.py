"""A registry of so many packages, written in bulk. Django must be set up before this is imported."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import orjson
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import signing_keys, tokens
from accounts.models import User
from registry import documents, publishing, search_index, tasks
from registry.models import Change, Document, Package, Release
from registry.models.packages import CATEGORIES
from tests import builders
from tests.registry.sshsig import Signer

BATCH = 2_000
LICENSES = ("MIT", "MIT", "MIT", "Apache-2.0", "Apache-2.0", "BSD-3-Clause", "ISC", "GPL-3.0-only", "MPL-2.0")
ECOSYSTEMS = ("npm", "npm", "npm", "pypi", "pypi", "maven", "docker", "generic")
SYLLABLES = ("ba", "co", "du", "fi", "ga", "he", "jo", "ki", "lu", "mo", "ne", "po", "qua", "ri", "su", "ta", "ve")
TO_PUBLISH = 400


def vocabulary(dice: random.Random) -> list[str]:
    """Some 3,000 made-up words; the first ones are used most, as in any language."""
    made = ("".join(dice.choices(SYLLABLES, k=dice.choice((2, 3, 4)))) + dice.choice("nrstx") for _ in range(3_500))
    return list(dict.fromkeys(made))[:3_000]


def main(count: int) -> None:
    """Migrate, make the people, publish the measured packages for real, write the rest in bulk."""
    call_command("migrate", verbosity=0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
    dice = random.Random(1)
    words = vocabulary(dice)
    alice = builders.user("alice", "admin")
    project = builders.project("bench", owner=alice)
    signer = Signer()
    signing_keys.register(alice, "benchmark", signer.public, builders.actor(alice))
    template = publish_measured(alice, signer)
    for batch in batches(count, words, dice, project.pk):
        write(batch, template)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    raw = tokens.issue(alice, "benchmark", ["read", "publish"], project=project, actor=builders.actor(alice))[1]
    remember(alice, signer, raw, words)


def publish_measured(alice: User, signer: Signer) -> Release:
    """The packages that are asked for one by one: with 5, 50 and 200 versions, and one to download."""
    filler = random.Random(2).randbytes(24_000)
    needs = {f"dependency-{n}": f"^{n}.0.0" for n in range(8)}
    for many in (5, 50, 200):
        multiply(send(alice, signer, builders.npm_tarball(f"bench-{many}", "1.0.0", dependencies=needs)), many)
    release = send(alice, signer, builders.npm_tarball("bench-download", "1.0.0", files={"filler.bin": filler}))
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved", release.held_because
    return release


def multiply(release: Release, many: int) -> None:
    """More versions like this one, with rows of their own and its bytes."""
    tasks.drain()
    release.refresh_from_db()
    parts = [*release.artifacts.all(), *release.checks.all(), *release.dependencies.all(), *release.decisions.all()]
    for number in range(1, many):
        release.pk, release.version, release.canonical = None, f"1.{number}.0", f"1.{number}.0"
        release.save()
        for part in parts:
            part.pk, part.release = None, release
        for kind in {type(part) for part in parts}:
            kind.objects.bulk_create([part for part in parts if type(part) is kind])
    with transaction.atomic():
        documents.rebuild(release.package)


def send(alice: User, signer: Signer, body: bytes) -> Release:
    """One publish, to be checked later."""
    with publishing.receive(io.BytesIO(body)) as staged:
        return publishing.publish_upload(staged, builders.actor(alice), signature=signer.sign(body))


def batches(count: int, words: list[str], dice: random.Random, project_id: int) -> Iterator[list[Package]]:
    """Packages that differ in everything that lists filter by."""
    weights = [1 / (at + 20) for at in range(len(words))]  # the commonest word is in one description of eight
    now = timezone.now()
    for begin in range(0, count, BATCH):
        batch = []
        for number in range(begin, min(begin + BATCH, count)):
            used = dice.choices(words, weights, k=14)
            name = f"{used[0]}-{used[1]}-{number}"
            ecosystem = dice.choice(ECOSYSTEMS)
            batch.append(
                Package(
                    ecosystem=ecosystem,
                    name=f"org.{used[0]}:{used[1]}-{number}" if ecosystem == "maven" else name,
                    normalized=f"org.{used[0]}:{used[1]}-{number}" if ecosystem == "maven" else name,
                    skeleton=name,
                    project_id=project_id,
                    description=" ".join(used[2:]),
                    category=dice.choice(CATEGORIES)[0],
                    keywords=used[2:6],
                    license=dice.choice(LICENSES),
                    latest_version="1.0.0",
                    latest_status=dice.choice(("approved",) * 8 + ("pending", "rejected")),
                    downloads=int(dice.paretovariate(0.7)),
                    updated_at=now,
                )
            )
        yield batch


def write(batch: list[Package], template: Release) -> None:
    """The rows, documents and search entries of a batch."""
    shape = orjson.loads(orjson.dumps(documents.detail(template.package)))
    with transaction.atomic():
        Package.objects.bulk_create(batch)
        Release.objects.bulk_create(
            Release(
                package=one, version="1.0.0", canonical="1.0.0", origin="published", project_id=one.project_id,
                status=one.latest_status, license=one.license, requested_tag="latest",
            )
            for one in batch
        )  # fmt: skip
        Document.objects.bulk_create([document(one, shape) for one in batch])
        with connection.cursor() as cursor:
            cursor.executemany(search_index.WRITE[connection.vendor], [search_index.row(one) for one in batch])
        Change.objects.create(package=batch[-1], kind="published")


def document(package: Package, shape: dict) -> Document:
    """A stored document of the real shape."""
    body = orjson.dumps(shape | documents.summary_row(package), option=orjson.OPT_UTC_Z)
    return Document(
        package=package,
        kind="detail",
        lookup=f"{package.ecosystem}:{package.normalized}",
        project_id=package.project_id,
        body=body,
        etag=documents.build_etag(body),
    )


def remember(alice: User, signer: Signer, raw: str, words: list[str]) -> None:
    """What the load generator needs: the token, words to search for, archives to publish with their signatures."""
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir()
    for number in range(TO_PUBLISH):
        body = builders.npm_tarball(f"upload-number-{number:04}-{words[number]}", "1.0.0")
        (folder / f"{number:04}.tgz").write_bytes(body)
        (folder / f"{number:04}.sig").write_text(signer.sign(body))
    known = {"token": raw, "words": words}
    (Path(settings.DATA_DIR) / "benchmark.json").write_text(json.dumps(known))
