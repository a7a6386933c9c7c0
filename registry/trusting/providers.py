"""What the ID tokens of runs say, house by house, and when that is the pipeline that is trusted. No database here."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from registry.errors import InvalidInput

LONGEST = 255
Claims = Mapping[str, Any]


class Wanted(Protocol):
    """What is kept of a trusted pipeline."""

    issuer: str
    subject: str
    claims: dict[str, Any]
    pinned: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """A house that runs pipelines: the names of its claims, and how the file of a pipeline stands in them."""

    slug: str
    subject: str  # the claim with the name of the repository
    file: str  # the claim with the file that describes the pipeline
    folder: str  # what stands between the repository and the file
    has_host: bool  # whether the host stands before it
    fixed: tuple[str, ...]  # numbers that stay when names change hands
    refused_events: ClassVar[frozenset[str]] = frozenset({"pull_request_target", "workflow_run"})

    @property
    def optional(self) -> tuple[str, ...]:
        """Claims that may be asked for, besides."""
        return ("environment", "ref", *self.fixed)

    def read(self, given: Any) -> tuple[str, dict[str, Any]]:
        """Subject and claims of a trust that somebody wants, as npm sends it; raises InvalidInput."""
        claims = dict(given) if isinstance(given, dict) else {}
        repository, file = claims.pop(self.subject, None), claims.pop(self.file, None)
        file = file.get("file") if isinstance(file, dict) and file.keys() == {"file"} else None
        if not _is_path(repository) or "/" not in repository or not _is_path(file):
            raise InvalidInput(
                f"Name the repository ({self.subject}) and the file ({self.file}.file) of the pipeline."
            )
        if unknown := claims.keys() - set(self.optional):
            raise InvalidInput(f"Nothing is known of the claim {min(unknown)[:60]}.")
        if not all(isinstance(one, str) and 0 < len(one) <= LONGEST and one.isprintable() for one in claims.values()):
            raise InvalidInput("The claims are short texts.")
        return repository.lower(), {self.subject: repository, self.file: {"file": file}, **claims}

    def subject_of(self, claims: Claims) -> str:
        """The repository that a run belongs to, as rows keep it; "" where its token does not say."""
        found = claims.get(self.subject)
        return found.lower() if isinstance(found, str) else ""

    def misfit(self, trust: Wanted, claims: Claims) -> str:
        """Which claim is not what the trust asks for, or ""."""
        if self.subject_of(claims) != trust.subject:
            return self.subject
        if claims.get("event_name") in self.refused_events:
            return "event_name"
        if not self._is_file(trust, claims):
            return self.file
        wanted = {**trust.claims, **trust.pinned}
        return next((name for name in self.optional if name in wanted and not _fits(wanted[name], claims, name)), "")

    def numbers(self, claims: Claims) -> dict[str, str]:
        """What is pinned at the first use."""
        return {name: str(claims[name]) for name in self.fixed if isinstance(claims.get(name), str | int)}

    def _is_file(self, trust: Wanted, claims: Claims) -> bool:
        told = claims.get(self.file)
        host = f"{urlsplit(trust.issuer).netloc}/" if self.has_host else ""
        head = f"{host}{claims[self.subject]}{self.folder}{trust.claims[self.file]['file']}@"
        return isinstance(told, str) and told.startswith(head) and len(told) > len(head)


GITHUB = Provider(
    slug="github",
    subject="repository",
    file="workflow_ref",
    folder="/.github/workflows/",
    has_host=False,
    fixed=("repository_id", "repository_owner_id"),
)
GITLAB = Provider(
    slug="gitlab",
    subject="project_path",
    file="ci_config_ref_uri",
    folder="//",
    has_host=True,
    fixed=("project_id", "namespace_id"),
)
PROVIDERS = {one.slug: one for one in (GITHUB, GITLAB)}


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable() and "@" not in value


def _fits(wanted: str, claims: Claims, name: str) -> bool:
    told = claims.get(name)
    if name == "ref":  # a pattern: refs/tags/v*
        return isinstance(told, str) and fnmatchcase(told, wanted)
    return isinstance(told, str | int) and not isinstance(told, bool) and str(told) == wanted
