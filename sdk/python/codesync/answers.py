"""The shapes of the portal's answers, in the API's own names. Fields that a newer portal adds are simply there."""

from typing import Any, NotRequired, TypedDict


class PackageRow(TypedDict):
    """A package in a list."""

    name: str
    version: str
    ecosystem: str
    status: str
    license: str
    description: str
    category: str
    keywords: list[str]
    downloads: int
    updated_at: str


class PackagePage(TypedDict):
    """One page of packages."""

    packages: list[PackageRow]
    total: int
    limit: int
    offset: int
    page: int
    pages: int


class TreeNode(TypedDict):
    """A package in a dependency tree, and what it brings along."""

    name: str
    version: str | None
    range: str
    status: str | None
    circular: NotRequired[bool]
    unresolved: NotRequired[bool]
    repeated: NotRequired[bool]
    dependencies: list["TreeNode"]


class Signature(TypedDict):
    """Who signed a file."""

    format: str
    fingerprint: str
    signer: str


class VersionRow(TypedDict):
    """One version in the detail of its package."""

    version: str
    status: str
    origin: str
    published_at: str
    license: str
    size: int | None
    integrity: str | None
    sha256: str | None
    shasum: str | None
    dependencies: dict[str, str]
    unlisted: bool
    purge_at: str | None
    deprecated: str | None
    signature: Signature | None
    download_url: str | None


class Package(PackageRow):
    """A whole package."""

    scope: str | None
    homepage: str | None
    repository: str | None
    visibility: str
    project: str
    maintainers: list[dict[str, str]]
    dist_tags: dict[str, str]
    versions: list[VersionRow]
    dependencies: dict[str, str]
    also_in: list[str]
    dependency_tree: NotRequired[TreeNode | None]


class Check(TypedDict):
    """One automated verdict."""

    name: str
    status: str
    summary: str
    details: dict[str, Any]
    duration_ms: int | None


class Decision(TypedDict):
    """Who decided, when, on which digest and why."""

    by: str
    at: str
    reason: str
    sha256: str
    override: bool


class Version(VersionRow):
    """One version with its checks, files and decision."""

    name: str
    ecosystem: str
    project: str
    held_because: str | None
    checks: list[Check]
    artifacts: list[dict[str, Any]]
    decision: Decision | None


class Published(TypedDict):
    """A version that was taken and is being checked."""

    name: str
    version: str
    ecosystem: str
    status: str
    integrity: str
    sha256: str
    size: int
    signature: Signature | None
    validation: dict[str, str]


class Joined(TypedDict):
    """A Python file that was taken into its version, which is being checked."""

    message: str
    name: str
    version: str
    filename: str
    sha256: str
    status: str
    url: str


class Submitted(TypedDict):
    """A submission that waits for its checks and a decision."""

    id: int
    name: str
    version: str
    ecosystem: str
    status: str
    url: str


class Resolution(TypedDict):
    """What an installer would choose."""

    name: str
    range: str
    version: str
    candidates: int


class Verdict(TypedDict):
    """What one gate says."""

    gate: str
    answer: str
    code: str
    reason: str
    details_url: str


class Explanation(TypedDict):
    """May I have this, and why not?"""

    purl: str
    answer: str
    verdicts: list[Verdict]
    decision: Decision | None
    remedies: list[str]


class Vulnerability(TypedDict):
    """One known flaw."""

    id: str
    aliases: list[str]
    severity: str
    summary: str
    package: str
    version: str
    fixed_in: str | None
    url: str
    waived: bool


class AuditResult(TypedDict):
    """What is known against one package of a lockfile."""

    purl: str
    status: str
    reason: str | None
    here: str | None
    vulnerabilities: list[Vulnerability]


class Audit(TypedDict):
    """The answer about a whole lockfile."""

    results: list[AuditResult]
    summary: dict[str, int]


class Scan(TypedDict):
    """The latest scan of a version."""

    package: str
    version: str
    scan_date: str | None
    status: str
    vulnerabilities: list[Vulnerability]
    severity: dict[str, int]
    tools_used: list[str]
    tools_unavailable: list[str]


class Token(TypedDict):
    """A token as it is listed: without its value."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    project: str | None
    createdAt: str
    expiresAt: str
    lastUsedAt: str | None


class IssuedToken(Token):
    """A token in the only answer that ever shows its value."""

    token: str


class Credential(TypedDict):
    """What the caller showed."""

    kind: str
    id: str | None
    expiresAt: str | None


class Me(TypedDict):
    """The caller."""

    username: str | None
    email: str | None
    role: str | None
    scopes: list[str]
    project: str | None
    tier: str | None
    credential: Credential


class LicenseKey(TypedDict):
    """A sold key; times in milliseconds since the epoch."""

    id: str
    name: str
    key: str
    constraint: dict[str, Any]
    suspended: bool
    meta: dict[str, Any]
    packages: list[str]
    createdAt: int
    updatedAt: int


class Validity(TypedDict):
    """Whether a key opens a version."""

    valid: bool
    code: str
    license: dict[str, Any] | None


class SyncRun(TypedDict):
    """A pull from upstreams."""

    id: str
    status: str
    upstreams: list[str]
    startedAt: str | None
    finishedAt: str | None
    progress: dict[str, int]
    added: int
    updated: int
    skipped: int
    failed: int
    errors: list[dict[str, str]]


class Regions(TypedDict):
    """How the EU regions stand."""

    status: str
    checked_at: str
    regions: list[dict[str, Any]]
    failed_packages: int
    pending: int
    next_sync_window: str | None
