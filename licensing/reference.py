"""Reference data newer than what ships: loaded by `manage.py licenses refresh`, kept as rows, used everywhere.

What ships counts until something is loaded. A document that cannot be read changes nothing.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM
from licensing import compatibility, listing, matrices, spdx, wording
from licensing.models import ReferenceData
from registry import outgoing
from registry.errors import InvalidInput, Unavailable
from registry.outgoing import Allowance, Limits, Request

LARGEST = 16 * 2**20
LIMITS = Limits(connect=15, read=60, total=300, size=LARGEST)
Kind = ReferenceData.Kind
_in_use: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a refresh brought: which document, of which edition, with how many entries, and whether it is news."""

    kind: str
    edition: str
    count: int
    is_new: bool


# --- using it ------------------------------------------------------------------------------------------------------
def catch_up() -> None:
    """Use in this process what was loaded last, by whichever process; one query, and nothing more without news."""
    newest = dict(ReferenceData.objects.values_list("kind", "sha256"))
    if newest == _in_use:
        return
    bodies = {kind: json.loads(body) for kind, body in ReferenceData.objects.values_list("kind", "body")}
    compatibility.use(bodies.get(Kind.MATRIX))
    listing.use([listing.read(bodies[kind]) for kind in (Kind.LICENSES, Kind.EXCEPTIONS) if kind in bodies])
    for rooms in (spdx, wording):
        rooms.forget()
    _in_use.clear()
    _in_use.update(newest)


# --- loading it ----------------------------------------------------------------------------------------------------
def refresh(source: str, allowance: Allowance | None = None) -> Loaded:
    """Load one document from a file or an address: OSADL's matrix, or SPDX's licenses.json or exceptions.json.

    At most 16 MiB. Raises InvalidInput for what is none of them, Unavailable and NotAllowed for what cannot be had.
    """
    is_address = source.startswith(("https://", "http://"))
    raw = _fetched(source, allowance or Allowance()) if is_address else _read(Path(source))
    return keep(_parsed(raw), source if is_address else Path(source).name)


def keep(document: Any, source: str) -> Loaded:
    """Keep the document as the newest of its kind, if it is another than the one kept."""
    kind, body, edition, count = _recognized(document)
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    fields = {"body": text, "sha256": digest, "source": source[:500], "edition": edition, "loaded_at": timezone.now()}
    with transaction.atomic():
        is_new = not ReferenceData.objects.filter(kind=kind, sha256=digest).exists()
        if is_new:
            ReferenceData.objects.update_or_create(kind=kind, defaults=fields)
            details = {"source": source[:500], "edition": edition, "sha256": digest, "entries": count}
            auditing.record("license_data.refreshed", kind, SYSTEM, details=details)
    catch_up()
    return Loaded(kind, edition, count, is_new)


def _recognized(document: Any) -> tuple[str, dict[str, Any], str, int]:
    """(kind, what to keep of it, edition, entries)."""
    if not isinstance(document, dict):
        raise InvalidInput("That is neither OSADL's matrix nor a list of SPDX.")
    for kind in (Kind.LICENSES, Kind.EXCEPTIONS):
        entries = document.get(kind.value)
        if "licenseListVersion" in document and isinstance(entries, list):
            read = listing.read({kind.value: entries})
            kept = {kind.value: [_bare(entry) for entry in entries]}
            return kind, kept, str(document["licenseListVersion"])[:64], len(read.licenses) + len(read.exceptions)
    matrix = matrices.read(document)
    return Kind.MATRIX, matrix, matrix["timestamp"][:64], len(matrix["licenses"])


def _bare(entry: dict[str, Any]) -> dict[str, Any]:
    names = ("licenseId", "licenseExceptionId", "name", "isOsiApproved", "isFsfLibre", "isDeprecatedLicenseId")
    return {name: entry[name] for name in names if name in entry}


def _fetched(url: str, allowance: Allowance) -> bytes:
    with outgoing.opened(Request(url, allowance=allowance, limits=LIMITS)) as answer:
        if answer.status != 200:
            raise Unavailable(f"The server answered {answer.status}, where 200 was expected.")
        body = io.BytesIO()
        answer.save(body)
        return body.getvalue()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as problem:
        raise InvalidInput(f"{path.name}: {problem.strerror}.") from None
    if len(raw) > LARGEST:
        raise InvalidInput(f"{path.name} is larger than {LARGEST // 2**20} MiB.")
    return raw


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput("That is no JSON document.") from None
