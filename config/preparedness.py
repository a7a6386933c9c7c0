"""Whether an installation was prepared with exactly this code, so that a start need not look again. No Django here."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("config", "accounts", "registry", "licensing", "scanning", "static", "locale")
CHOICES = ("DEMO", "SECRET_KEY", "STORAGE_URL", "PUBLIC_URL")


def _fingerprint() -> str:
    """A digest over the sources (names, sizes, times), the locked packages and the choices that preparing reads."""
    seen = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix != ".pyc" and path.is_file():
                found = path.stat()
                seen.update(f"{path.relative_to(ROOT)}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    seen.update(repr([os.environ.get(name, "") for name in CHOICES]).encode())
    return seen.hexdigest()


def _stamp(data: Path) -> Path:
    return data / "prepared"


def is_prepared(data: Path) -> bool:
    """Whether the single-box data in the folder are those of this code. With a database of its own: never known."""
    kept = (data / "registry.sqlite3", data / "static" / "staticfiles.json")
    if os.environ.get("DATABASE_URL") or not all(path.is_file() for path in kept):
        return False
    return _stamp(data).is_file() and _stamp(data).read_text() == _fingerprint()


def note(data: Path) -> None:
    """Remember that everything was prepared."""
    _stamp(data).write_text(_fingerprint())
