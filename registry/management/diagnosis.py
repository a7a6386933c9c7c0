"""What can be wrong with an installation, how it shows, and the command that mends it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from packaging.requirements import Requirement
from packaging.version import Version

from accounts import auditing
from accounts.models import User
from registry import scrubbing
from registry.models import Job

MANAGE = ".venv/bin/python manage.py"
LEAST_FREE = 512 * 1024 * 1024
OVERDUE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` is a command, or what to change, and empty where all is well."""

    what: str
    how: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.remedy


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other; without a database, at what can be seen without it."""
    yield from (look() for look in WITHOUT_DATABASE)
    database = look_at_database()
    yield database
    if database.is_well:
        yield from (look() for look in WITH_DATABASE)


# --- around the database ------------------------------------------------------------------------------------------
def look_at_python() -> Finding:
    """Whether what is installed is what was locked."""
    version = ".".join(map(str, sys.version_info[:3]))
    wrong = list(_unlike_the_lock())
    if wrong:
        return Finding("packages", f"not as locked: {', '.join(wrong[:5])}", "rm -f .venv/.runtime && make run")
    return Finding("packages", f"Python {version}, as locked")


def _unlike_the_lock() -> Iterator[str]:
    for line in (settings.BASE_DIR / "requirements.lock").read_text().splitlines():
        if line.startswith((" ", "#")) or "==" not in line:
            continue
        locked = Requirement(line.rstrip(" \\"))
        if locked.marker and not locked.marker.evaluate():
            continue
        try:
            if not locked.specifier.contains(Version(metadata.version(locked.name)), prereleases=True):
                yield locked.name
        except metadata.PackageNotFoundError:
            yield locked.name


def look_at_settings() -> Finding:
    """Django's and our own system checks."""
    serious = [message for message in checks.run_checks() if message.level >= checks.ERROR]
    if serious:
        return Finding("settings", serious[0].msg, serious[0].hint or f"{MANAGE} check")
    if settings.DEBUG:
        return Finding("settings", "DEBUG is on: errors show their insides to strangers", "unset DEBUG, then restart")
    if settings.PUBLIC_URL and not settings.HTTPS:
        return Finding("settings", "PUBLIC_URL is not https: sessions travel in the clear", "PUBLIC_URL=https://…")
    return Finding("settings", "no complaint")


def look_at_folder() -> Finding:
    """Whether DATA_DIR can be written, has room and keeps its secret."""
    folder = Path(settings.DATA_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as problem:
        return Finding("data", f"{folder} cannot be written: {problem.strerror}", f"sudo chown -R $(id -u) {folder}")
    if (free := shutil.disk_usage(folder).free) < LEAST_FREE:
        return Finding(
            "data", f"only {free // 2**20} MiB left on the disk of {folder}", "free some space, or move DATA_DIR"
        )
    secret = folder / "secret_key"
    if secret.is_file() and secret.stat().st_mode & 0o077:
        return Finding("data", "others may read the secret key", f"chmod 600 {secret}")
    return Finding("data", f"{folder}, {free // 2**30} GiB free")


def look_at_blobs() -> Finding:
    """Whether the blob folder can be written; a bucket is only named."""
    scheme, _, place = settings.STORAGE_URL.partition("://")
    if scheme != "file":
        return Finding(
            "files", f"in {settings.STORAGE_URL.partition('?')[0]}; the health page says whether it answers"
        )
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        return Finding("files", f"{folder} cannot be written", f"sudo chown -R $(id -u) {folder}")
    return Finding("files", str(folder))


def look_at_broker() -> Finding:
    """Whether the cache and broker answer; without one there is nothing to look at."""
    if not settings.REDIS_URL:
        return Finding("broker", "no REDIS_URL here: `make run` brings its own, `manage.py work` needs none")
    try:
        cache.set("doctor", "well", 5)
        answers = cache.get("doctor") == "well"
    except Exception as problem:
        return Finding(
            "broker", f"does not answer ({type(problem).__name__})", "start Redis or Valkey, or correct REDIS_URL"
        )
    if not answers:
        return Finding("broker", "forgets what it is told", "raise its maxmemory")
    return Finding("broker", "answers")


# --- inside it ----------------------------------------------------------------------------------------------------
def look_at_database() -> Finding:
    """Whether the database answers and its tables are of this version."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as problem:
        return Finding("database", f"does not answer: {problem}".strip(), "start it, or correct DATABASE_URL")
    if pending:
        return Finding("database", f"{len(pending)} migrations are not applied", f"{MANAGE} prepare")
    return Finding("database", f"{connection.vendor}, tables up to date")


def look_at_admins() -> Finding:
    """Whether anybody can administer the portal."""
    admins = User.objects.filter(role=User.Role.ADMIN, is_active=True)
    if not admins.exists():
        remedy = f"{MANAGE} user create admin --email you@example.com --role admin"
        return Finding("admin", "nobody is an admin", remedy)
    if not any(admin.has_usable_password() for admin in admins):
        return Finding("admin", "no admin has a password", f"{MANAGE} changepassword {admins[0].username}")
    return Finding("admin", ", ".join(admin.username for admin in admins[:3]))


def look_at_static_files() -> Finding:
    """Whether style sheets and scripts were gathered."""
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return Finding("pages", "style sheets and scripts are not gathered", f"{MANAGE} prepare")
    return Finding("pages", "style sheets and scripts gathered")


def look_at_jobs() -> Finding:
    """Whether work is done in time, and whether some of it was given up."""
    dead = Job.objects.filter(state=Job.State.DEAD)
    if job := dead.first():
        why = job.last_error.splitlines()[0][:120] if job.last_error else "no reason kept"
        return Finding(
            "jobs", f"{dead.count()} given up, such as {job.kind} {job.ref}: {why}", f"{MANAGE} work --once"
        )
    overdue = Job.objects.filter(state=Job.State.OPEN, due_at__lt=timezone.now() - OVERDUE_AFTER).count()
    if overdue:
        return Finding("jobs", f"{overdue} wait for longer than two minutes: no worker runs", f"{MANAGE} work")
    return Finding("jobs", "none overdue, none given up")


def look_at_stored_bytes() -> Finding:
    """Whether stored files are damaged, and whether all are read back as often as they should be."""
    held = scrubbing.damaged()
    if blob := held.first():
        what = f"{held.count()} stored files are damaged and held back, such as {blob.key} ({blob.damage})"
        return Finding("bytes", what, f"{MANAGE} scrub --whole FILE, if no region holds it; Jobs in the admin say why")
    if count := scrubbing.belated().count():
        return Finding("bytes", f"{count} stored files were not read back in time", "raise SCRUB_MB_PER_ROUND")
    return Finding("bytes", "no stored file is known to be damaged")


def look_at_audit_trail() -> Finding:
    """Whether the chain of audit events is whole."""
    if problems := auditing.verify():
        return Finding("audit", f"the trail is broken: {problems[0]}", f"{MANAGE} audit verify")
    return Finding("audit", "the trail is whole")


# Apps above add their own when they are loaded.
WITHOUT_DATABASE: list[Callable[[], Finding]] = [
    look_at_python,
    look_at_settings,
    look_at_folder,
    look_at_blobs,
    look_at_broker,
]
WITH_DATABASE: tuple[Callable[[], Finding], ...] = (
    look_at_admins,
    look_at_static_files,
    look_at_jobs,
    look_at_stored_bytes,
    look_at_audit_trail,
)
