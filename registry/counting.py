"""Counting downloads: how often each version left, by day, and who took it. Counts gather in Redis for a minute."""

import logging
import uuid
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from accounts.actors import Actor
from accounts.models import Project, User
from registry import tasks
from registry.models import DownloadCount, DownloadFold, DownloadRecord, Package, Release

logger = logging.getLogger(__name__)

WAITING = "downloads"
FOLD_KEPT = timedelta(days=2)
RECENT = timedelta(days=2)
ADD_COUNT = """
    INSERT INTO registry_downloadcount AS held (release_id, package_id, day, count) VALUES (%s, %s, %s, %s)
    ON CONFLICT (release_id, day) DO UPDATE SET count = held.count + excluded.count"""
ADD_RECORD = """
    INSERT INTO registry_downloadrecord AS held (release_id, day, credential, user_id, project_id, count, first_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (release_id, day, credential) DO UPDATE
    SET count = held.count + excluded.count, project_id = excluded.project_id"""


class Taking(NamedTuple):
    """What one download is counted under; an anonymous one has no credential."""

    day: date
    release_id: int
    package_id: int
    credential: str = ""
    user_id: int | None = None
    project_id: int | None = None

    def as_field(self) -> str:
        """The name under which it waits in Redis."""
        ids = (self.release_id, self.package_id, self.user_id or 0, self.project_id or 0)
        return "/".join([self.day.isoformat(), *map(str, ids), self.credential])

    @classmethod
    def of_field(cls, field: str) -> "Taking":
        """The reverse of `as_field`."""
        day, release, package, user, project, credential = field.split("/", 5)
        return cls(
            date.fromisoformat(day), int(release), int(package), credential, int(user) or None, int(project) or None
        )


def count(release: Release, actor: Actor) -> None:
    """Count one download, and keep who took it; of strangers nothing is kept but the number.

    That somebody took a version is a row before its bytes leave. How often waits in Redis, which may lose the
    last minute of numbers if it dies; while there is no Redis, every download is written at once.
    """
    taking = Taking(timezone.now().date(), release.pk, release.package_id, *_who(actor))
    repetitions = _waiting_with(taking)
    if repetitions is None:
        with transaction.atomic() if taking.credential else nullcontext():
            _add({taking: 1})
    elif repetitions == 1 and taking.credential:
        _add_records({taking: 0})


def _who(actor: Actor) -> tuple[str, int | None, int | None]:
    if actor.is_anonymous or actor.is_system:
        return "", None, None
    user, project = actor.user.pk if actor.user else None, actor.project.pk if actor.project else None
    return f"{actor.kind}:{actor.credential_id or user or ''}", user, project


def _waiting_with(taking: Taking) -> int | None:
    """How many downloads wait under this name, this one included; None where there is no Redis to wait in."""
    if not settings.REDIS_URL:
        return None
    try:
        return _redis(settings.REDIS_URL).hincrby(WAITING, taking.as_field(), 1)
    except (RedisError, OSError) as problem:
        logger.warning("Redis does not answer (%s): the download is written at once.", problem)
        return None


@tasks.periodically("refresh_figures")
def fold() -> int:
    """Write what waits in Redis; returns how many downloads that were. Each batch is written once, crash or not."""
    if not settings.REDIS_URL:
        return 0
    client = _redis(settings.REDIS_URL)
    with suppress(ResponseError):  # nothing new waits; what a fold that died has left still does
        client.renamenx(WAITING, f"{WAITING}:{uuid.uuid4()}")
    folded = sum(_fold(client, key.decode()) for key in client.scan_iter(f"{WAITING}:*"))
    DownloadFold.objects.filter(at__lt=timezone.now() - FOLD_KEPT).delete()
    return folded


def _fold(client: Redis, key: str) -> int:
    """One batch, written with a row that says so: whoever finds it a second time only throws it away."""
    waiting = cast(dict[bytes, bytes], client.hgetall(key))
    takings = _still_held({Taking.of_field(field.decode()): int(number) for field, number in waiting.items()})
    with transaction.atomic():
        _, is_news = DownloadFold.objects.get_or_create(batch=key)
        if is_news:
            _add(takings)
    client.delete(key)
    return sum(takings.values()) if is_news else 0


def _still_held(takings: Mapping[Taking, int]) -> dict[Taking, int]:
    """Without what was deleted while it waited."""
    releases = _existing(Release.objects.all(), (one.release_id for one in takings))
    users = _existing(User.objects.all(), (one.user_id for one in takings))
    projects = _existing(Project.objects.all(), (one.project_id for one in takings))
    return {
        one: number
        for one, number in takings.items()
        if one.release_id in releases and one.user_id in users and one.project_id in projects
    }


def _existing(rows: QuerySet[Any], keys: Iterable[int | None]) -> set[int | None]:
    """Those of the keys that are still there; no key at all always is."""
    wanted = {key for key in keys if key is not None}
    return {None, *rows.filter(pk__in=wanted).values_list("pk", flat=True)}


def _add(takings: Mapping[Taking, int]) -> None:
    """Add to the counts by day, and to the records of those who are known."""
    counts: dict[tuple[int, int, date], int] = {}
    for one, number in takings.items():
        place = (one.release_id, one.package_id, one.day)
        counts[place] = counts.get(place, 0) + number
    with connection.cursor() as cursor:
        cursor.executemany(ADD_COUNT, [(*place, number) for place, number in sorted(counts.items())])
    _add_records({one: number for one, number in takings.items() if one.credential})


def _add_records(takings: Mapping[Taking, int]) -> None:
    """Add to the records of who took what, which are made here."""
    if not takings:
        return
    now = timezone.now()
    rows = [
        (one.release_id, one.day, one.credential, one.user_id, one.project_id, number, now)
        for one, number in sorted(takings.items(), key=lambda item: item[0].as_field())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(ADD_RECORD, rows)


@tasks.periodically("refresh_figures")
def refresh_figures() -> int:
    """Sum the counted downloads into the packages' totals; returns how many packages changed.

    Only what was downloaded in the last days can have changed, so only that is summed.
    """
    since = timezone.now().date() - RECENT
    touched = DownloadCount.objects.filter(day__gte=since).values("package_id")
    packages = Package.objects.filter(pk__in=touched).annotate(total=Sum("download_counts__count"))
    changed = [package for package in packages.only("downloads") if package.downloads != package.total]
    for package in changed:
        package.downloads = package.total
    Package.objects.bulk_update(changed, ["downloads"], batch_size=500)
    return len(changed)


@tasks.periodically("daily")
def forget() -> int:
    """Delete records of who took what once DOWNLOAD_RECORD_DAYS have passed; returns how many went. 0 keeps all."""
    if not settings.DOWNLOAD_RECORD_DAYS:
        return 0
    before = timezone.now().date() - timedelta(days=settings.DOWNLOAD_RECORD_DAYS)
    return DownloadRecord.objects.filter(day__lt=before).delete()[0]


@lru_cache(maxsize=4)
def _redis(url: str) -> Redis:
    """The connection pool of this process."""
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 1))
