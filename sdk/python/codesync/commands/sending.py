"""Sending the files of a version: the first with its signature, further Python files beside it, one by one."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from codesync.answers import Joined, Published
from codesync.commands import progress
from codesync.commands.desk import Desk
from codesync.errors import ApiError

SDISTS = (".tar.gz", ".zip")


def is_python_file(archive: Path) -> bool:
    """Whether its version may have other files besides."""
    return archive.name.endswith((*SDISTS, ".whl"))


def version_of(archive: Path) -> str:
    """Name and version as the file's name spells them, so that files of one version can be told from others."""
    name = next((archive.name.removesuffix(one) for one in SDISTS if archive.name.endswith(one)), "")
    name = name or "-".join(archive.name.split("-")[:2])
    return re.sub("[-_.]+", "-", name).lower()


def send(
    desk: Desk, archives: list[Path], signature: str, wishes: Mapping[str, str], *, are_chosen: bool
) -> Published:
    """Publish the first and let the others join it; where its version is here already, chosen files all join.

    A version has one signed file, so a portal that asks for signatures takes the first only: an error where the user
    has chosen the files, a remark where a build has made them. Chosen files that are there already are passed over,
    unless nothing else was sent; what was just built never joins what was there before, since it may be another thing.
    """
    first, *others = archives
    try:
        with progress.transfer(desk, f"Uploading {first.name}", first.stat().st_size) as sent:
            taken = desk.portal.packages.publish(first, signature, sent=sent, **wishes)
    except ApiError as problem:
        can_join = are_chosen and is_python_file(first)
        if problem.details.get("code") != "version_exists" or not can_join:
            raise
        return _join_all(desk, archives, problem)
    for one in others:
        try:
            _join(desk, one)
        except ApiError as problem:
            if problem.details.get("code") == "unsigned" and not are_chosen:
                desk.say(f"{one.name} stays here: the project takes signed files only, one of a version.")
                continue
            problem.message = f"{first.name} was taken, {one.name} was not: {problem.message}"
            raise
    return taken


def _join_all(desk: Desk, archives: list[Path], exists: ApiError) -> Published:
    """Bring what the version has not got yet; raises what the portal said at first where that is nothing."""
    taken: Joined | None = None
    for one in archives:
        try:
            taken = _join(desk, one)
        except ApiError as problem:
            if problem.details.get("code") == "file_exists":
                desk.say(f"{one.name} is there already; nothing of it was sent.")
                continue
            raise exists if problem.details.get("code") == "unsigned" else problem from problem
    if taken is None:
        raise exists
    return cast(Published, {**taken, "ecosystem": "pypi"})


def _join(desk: Desk, archive: Path) -> Joined:
    with progress.transfer(desk, f"Uploading {archive.name}, unsigned", archive.stat().st_size) as sent:
        return desk.portal.packages.join(archive, sent=sent)
