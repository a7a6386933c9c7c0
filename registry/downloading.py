"""Downloading: the one door that bytes leave by. It asks the gates first, every time."""

from dataclasses import dataclass
from typing import IO

from accounts.actors import Actor
from registry import covering, gates, storage, tasks
from registry.errors import Forbidden, Gone, NotFound
from registry.models import Artifact, Blob, Release


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may leave: its row, and how to read it."""

    artifact: Artifact
    blob: Blob
    is_private: bool

    def open(self, offset: int = 0) -> IO[bytes]:
        """The bytes from `offset` on."""
        return storage.open_blob(self.blob, offset)


def open_artifact(release: Release, actor: Actor, filename: str = "") -> Download:
    """The release's primary file (or the one named), if every gate allows it.

    Raises NotFound (no such file, or private), Gone (removed), Forbidden with the verdicts in `details`.
    """
    if not release.package.is_visible_to(actor):
        if actor.entitlements:
            raise covering.NotCovered(covering.objection_to_name(release.package.name, actor))
        raise NotFound("There is no such package here.")
    refuse_unless_allowed(release, actor)
    artifacts = release.artifacts.select_related("blob")
    artifact = (artifacts.filter(filename=filename) if filename else artifacts).first()
    if artifact is None or artifact.blob is None:
        raise NotFound("No file is held here for this version: it was submitted by name only.")
    return Download(artifact, artifact.blob, release.package.is_private)


def refuse_unless_allowed(release: Release, actor: Actor) -> None:
    """Ask the downloading gates; raise Gone or Forbidden with what they say."""
    covering.refuse_unless_covered(release, actor)
    verdicts = gates.ask("downloading", release, actor)
    objection = gates.first_objection(verdicts)
    if objection is None:
        return
    shapes = [verdict.as_dict() for verdict in verdicts]
    if release.is_purged:
        raise Gone(objection.reason, details={"sha256": release.sha256, "purged_at": release.purged_at})
    raise Forbidden(objection.reason, code=objection.code.lower(), details={"verdicts": shapes})


def reviewable(release: Release, actor: Actor) -> Download:
    """The file for a reviewer's eyes, whatever its status; needs the scope review."""
    actor.need("review", release.package.project_id)
    artifact = release.artifacts.select_related("blob").first()
    if artifact is None or artifact.blob is None:
        raise NotFound("No file is held here for this version.")
    return Download(artifact, artifact.blob, is_private=True)


tasks.periodically("reconcile")(storage.reconcile)
