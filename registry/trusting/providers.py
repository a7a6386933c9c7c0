"""What the ID tokens of runs say, house by house, and when that is the pipeline that is trusted. No database here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol
from urllib.parse import urlsplit

from registry.errors import InvalidInput

LONGEST = 255
MOST = 20
Claims = Mapping[str, Any]


class Wanted(Protocol):
    """What is kept of a trusted pipeline."""

    issuer: str
    subject: str
    claims: dict[str, Any]
    pinned: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """A house that runs pipelines: the names of its claims, and what tells one of its pipelines from another."""

    slug: str
    label: str
    subject: str  # the claim with the name of the repository
    file: str = ""  # the claim with the file that describes the pipeline, where the house tells it
    folder: str = ""  # what stands between the repository and the file
    has_host: bool = False  # whether the host stands before it
    required: tuple[str, ...] = ()  # claims without which a pipeline is not told from others
    wishes: tuple[str, ...] = ()  # claims that may be asked for, besides
    lists: tuple[str, ...] = ()  # the same, of which all that are asked for must be among those told
    fixed: tuple[str, ...] = ()  # numbers that stay when names change hands
    organization: str = ""  # the claim with the organization, where each has an issuer of its own
    refused: Claims = field(default_factory=dict)  # claim to values: runs that others cause, or sit in
    noted: tuple[str, ...] = ()  # what the audit trail keeps; no people, whom nobody could take out of it again
    has_ids: bool = True  # whether each of its tokens has an id

    @property
    def optional(self) -> tuple[str, ...]:
        """Claims that may be asked for, besides."""
        return (*self.wishes, *self.lists, *self.fixed)

    def read(self, given: Any) -> tuple[str, dict[str, Any]]:
        """Subject and claims of a trust that somebody wants, as npm sends it; raises InvalidInput."""
        claims = dict(given) if isinstance(given, dict) else {}
        repository, told = claims.pop(self.subject, None), {}
        if not _is_path(repository) or "/" not in repository:
            raise InvalidInput(f"Name the repository ({self.subject}).")
        if self.file:
            file = claims.pop(self.file, None)
            if not isinstance(file, dict) or file.keys() != {"file"} or not _is_path(file["file"]):
                raise InvalidInput(f"Name the file of the pipeline ({self.file}.file).")
            told[self.file] = file
        self._check(claims)
        return repository.lower(), {self.subject: repository, **told, **claims}

    def kept_issuer(self, issuer: str, claims: Claims) -> str:
        """The issuer that rows name: the organization's own, whichever of the two of its house has signed."""
        is_own = not self.organization or issuer.endswith(f"/org/{claims.get(self.organization)}")
        return issuer if is_own else f"{issuer}/org/{claims.get(self.organization)}"

    def subject_of(self, claims: Claims) -> str:
        """The repository that a run belongs to, as rows keep it; "" where its token does not say."""
        found = claims.get(self.subject)
        return found.lower() if isinstance(found, str) else ""

    def misfit(self, trust: Wanted, claims: Claims) -> str:
        """Which claim is not what the trust asks for, or ""."""
        if self.subject_of(claims) != trust.subject:
            return self.subject
        if caught := next((name for name, values in self.refused.items() if claims.get(name) in values), ""):
            return caught
        if self.file and not self._is_file(trust, claims):
            return self.file
        wanted = {**trust.claims, **trust.pinned}
        names = (*self.required, *self.optional)
        return next((name for name in names if name in wanted and not self._fits(wanted[name], claims, name)), "")

    def numbers(self, claims: Claims) -> dict[str, str]:
        """What is pinned at the first use."""
        return {name: str(claims[name]) for name in self.fixed if isinstance(claims.get(name), str | int)}

    def _check(self, claims: Claims) -> None:
        if missing := [name for name in self.required if not claims.get(name)]:
            raise InvalidInput(f"Name {' and '.join(missing)}, too.")
        if unknown := claims.keys() - {*self.required, *self.optional}:
            raise InvalidInput(f"Nothing is known of the claim {min(unknown)[:60]}.")
        for name, value in claims.items():
            values = value if name in self.lists and isinstance(value, list) and 0 < len(value) <= MOST else [value]
            if not all(isinstance(one, str) and 0 < len(one) <= LONGEST and one.isprintable() for one in values):
                raise InvalidInput("The claims are short texts.")

    def _is_file(self, trust: Wanted, claims: Claims) -> bool:
        told = claims.get(self.file)
        host = f"{urlsplit(trust.issuer).netloc}/" if self.has_host else ""
        head = f"{host}{claims[self.subject]}{self.folder}{trust.claims[self.file]['file']}@"
        return isinstance(told, str) and told.startswith(head) and len(told) > len(head)

    def _fits(self, wanted: Any, claims: Claims, name: str) -> bool:
        told = claims.get(name)
        if name in self.lists:
            asked = set(wanted) if isinstance(wanted, list) else {wanted}
            return isinstance(told, list) and asked <= {one for one in told if isinstance(one, str)}
        if name.endswith("ref"):  # a pattern: refs/tags/v*
            return isinstance(told, str) and fnmatchcase(told, wanted)
        return isinstance(told, str | int) and not isinstance(told, bool) and str(told) == wanted


GITHUB = Provider(
    slug="github",
    label="GitHub Actions",
    subject="repository",
    file="workflow_ref",
    folder="/.github/workflows/",
    wishes=("environment", "ref", "ref_type", "ref_protected"),
    fixed=("repository_id", "repository_owner_id"),
    refused={"event_name": ("pull_request_target", "workflow_run")},
    noted=("sub", "repository", "workflow_ref", "ref", "sha", "run_id", "run_attempt", "environment", "event_name"),
)
GITLAB = Provider(
    slug="gitlab",
    label="GitLab CI/CD",
    subject="project_path",
    file="ci_config_ref_uri",
    folder="//",
    has_host=True,
    wishes=("environment", "ref", "ref_type", "ref_protected"),
    fixed=("project_id", "namespace_id"),
    refused={"pipeline_source": ("merge_request_event", "external_pull_request_event")},
    noted=("sub", "project_path", "ci_config_ref_uri", "ref", "sha", "pipeline_id", "job_id", "environment"),
)
CIRCLE = "oidc.circleci.com/"
CIRCLECI = Provider(
    slug="circleci",
    label="CircleCI",
    subject=f"{CIRCLE}vcs-origin",
    required=(f"{CIRCLE}org-id", f"{CIRCLE}project-id", f"{CIRCLE}pipeline-definition-id"),
    wishes=(f"{CIRCLE}vcs-ref",),
    lists=(f"{CIRCLE}context-ids",),
    organization=f"{CIRCLE}org-id",
    refused={f"{CIRCLE}ssh-rerun": (True, "true")},
    noted=tuple(
        CIRCLE + one for one in ("vcs-origin", "vcs-ref", "project-id", "pipeline-id", "workflow-id", "job-id")
    ),
    has_ids=False,
)
PROVIDERS = {one.slug: one for one in (GITHUB, GITLAB, CIRCLECI)}


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable() and "@" not in value
