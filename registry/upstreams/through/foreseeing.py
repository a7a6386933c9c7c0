"""Foreseeing: which versions policy would not let in anyway, judged by what an index says of them.

`settings.REGISTRY_FORESIGHT` names who says so, each as `(package, project_id) -> {version: sentence}`. It only spares
clients a detour: what is not foreseen is judged by the gates once its bytes are here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Prospect:
    """A version that might come; `license` as its index words it, "" where it says nothing."""

    version: str
    released_at: datetime | None
    license: str


@dataclass(frozen=True, slots=True)
class Prospects:
    """The versions of one package that might come."""

    ecosystem: str
    name: str
    versions: Sequence[Prospect]


def objections(package: Prospects, project_id: int) -> dict[str, str]:
    """By version, the first sentence that stands against it; a few queries for all of them together."""
    found: dict[str, str] = {}
    for path in settings.REGISTRY_FORESIGHT:
        foresee: Callable[[Prospects, int], dict[str, str]] = import_string(path)
        found = foresee(package, project_id) | found
    return found
