"""System checks: every gate, check and extra that the settings name exists, and the installation is fit to serve."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

QUESTIONS = ("publishing", "approving", "downloading")


@checks.register("registry")
def gates_resolve(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """A gate that cannot be imported would be a gate that nobody asks: refuse to start."""
    unknown = [
        checks.Error(f"REGISTRY_GATES has a question that nobody asks: “{question}”.", id="registry.E001")
        for question in settings.REGISTRY_GATES
        if question not in QUESTIONS
    ]
    missing = [
        checks.Error(f"REGISTRY_GATES must answer the question “{question}”.", id="registry.E002")
        for question in QUESTIONS
        if not settings.REGISTRY_GATES.get(question)
    ]
    paths = [path for question in QUESTIONS for path in settings.REGISTRY_GATES.get(question, [])]
    return unknown + missing + _unresolved("REGISTRY_GATES", paths, "registry.E003")


@checks.register("registry")
def package_checks_resolve(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """A check that cannot be imported would leave every release pending for ever."""
    return _unresolved("REGISTRY_CHECKS", settings.REGISTRY_CHECKS.values(), "registry.E004")


@checks.register("registry")
def bill_extras_resolve(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """A bill of materials that silently leaves out what is known against its components would be worse than none."""
    return _unresolved("REGISTRY_BILL_EXTRAS", settings.REGISTRY_BILL_EXTRAS, "registry.E005")


@checks.register("registry")
def panels_resolve(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """A panel that cannot be imported would break the pages that show it."""
    return _unresolved("REGISTRY_PANELS", settings.REGISTRY_PANELS.values(), "registry.E006")


@checks.register("registry")
def advice_resolves(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """Who is asked to compare licenses must not hear that nobody here can."""
    missing = [] if "licenses" in settings.REGISTRY_ADVICE else ["licenses"]
    return _unresolved("REGISTRY_ADVICE", [*settings.REGISTRY_ADVICE.values(), *missing], "registry.E007")


@checks.register("registry")
def downloads_can_leave(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """Nginx reads no bucket, a directory signs no address, and an address that lasts is no longer asked for."""
    via, is_bucket = settings.DOWNLOAD_VIA, settings.STORAGE_URL.startswith("s3:")
    prefix = settings.ACCEL_PREFIX
    problems = {
        f"DOWNLOAD_VIA is “{via}”: write stream, accel or presign.": via not in ("stream", "accel", "presign"),
        "DOWNLOAD_VIA=accel needs a directory that nginx can read, but STORAGE_URL names a bucket.": (
            via == "accel" and is_bucket
        ),
        "DOWNLOAD_VIA=presign needs a bucket, but STORAGE_URL names a directory.": via == "presign" and not is_bucket,
        f"ACCEL_PREFIX is “{prefix}”: write a path that begins and ends with a slash and holds a name.": (
            via == "accel" and not re.fullmatch(r"/[A-Za-z0-9._-]+/(?:[A-Za-z0-9._-]+/)*", prefix)
        ),
        f"PRESIGN_SECONDS is {settings.PRESIGN_SECONDS}: write 1 to 60.": not 1 <= settings.PRESIGN_SECONDS <= 60,
        f"UPLOAD_STALL_SECONDS is {settings.UPLOAD_STALL_SECONDS}: write more than 0.": (
            settings.UPLOAD_STALL_SECONDS <= 0
        ),
    }
    return [checks.Error(text, id="registry.E008") for text, is_so in problems.items() if is_so]


def _unresolved(setting: str, paths: Iterable[str], code: str) -> list[checks.CheckMessage]:
    problems: list[checks.CheckMessage] = []
    for path in paths:
        try:
            found = import_string(path)
        except ImportError as problem:
            hint = "Correct the dotted path, or add the app that holds it to INSTALLED_APPS."
            problems.append(checks.Error(f"{setting} names “{path}”: {problem}.", hint=hint, id=code))
        else:
            if not callable(found):
                problems.append(checks.Error(f"{setting} names “{path}”, which cannot be called.", id=code))
    return problems
