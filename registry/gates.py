"""Three questions asked before acting: may this be published, be approved, be downloaded?

A gate is `(subject, actor) -> Verdict`, named by dotted path in `settings.REGISTRY_GATES`. It has no side
effects. An exception inside one is not caught: what cannot be judged does not pass.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import projects
from accounts.actors import Actor
from registry import ecosystems, grants
from registry.models import Check, Package, Product, Release

STAGE = "stage "  # before the name of a package that a token may stage versions of
ORDER = {"allow": 0, "hold": 1, "deny": 2}
BLOCKING_CHECKS = ("archive", "manifest", "integrity", "signature", "name")
RESERVED_NAMES = frozenset({"publish", "stats", "node_modules", "favicon.ico"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says: allow, hold or deny, a code for programs and a sentence for people.

    `until` is when the answer changes by itself. `grounds` are the single things that a denial is about, each with
    every name it goes by, so that what was overruled once can be told from what is new.
    """

    gate: str
    answer: str
    code: str
    reason: str
    details_url: str = ""
    remedy: str = ""
    until: datetime | None = None
    grounds: tuple[tuple[str, ...], ...] = ()

    def as_dict(self) -> dict[str, str]:
        """The shape that the API, the pages and the decision record share."""
        shape = asdict(self)
        for extra in ("remedy", "until", "grounds"):
            del shape[extra]
        return shape

    def as_record(self) -> dict[str, Any]:
        """The same as evidence, with the grounds."""
        return self.as_dict() | ({"grounds": [list(names) for names in self.grounds]} if self.grounds else {})


@dataclass(frozen=True, slots=True)
class Publication:
    """The subject of the publishing gates: a version that is about to stand."""

    ecosystem: str
    name: str
    version: str
    origin: str
    package: Package | None
    origins: frozenset[str]
    project_id: int
    is_staged: bool = False

    @property
    def is_first_party(self) -> bool:
        """Whether the package holds versions that its own project published."""
        return Release.Origin.PUBLISHED in self.origins


def ask(question: str, subject: Any, actor: Actor) -> list[Verdict]:
    """Every gate's verdict on the question, in the order of the settings."""
    return [import_string(path)(subject, actor) for path in settings.REGISTRY_GATES[question]]


def worst(verdicts: Iterable[Verdict]) -> str:
    """The answer that counts: deny before hold before allow."""
    return max((verdict.answer for verdict in verdicts), key=ORDER.__getitem__, default="allow")


def first_objection(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The gravest verdict that is not allow, the earliest among equals."""
    objections = [verdict for verdict in verdicts if verdict.answer != "allow"]
    return max(objections, key=lambda verdict: ORDER[verdict.answer], default=None)


# --- publishing ----------------------------------------------------------------------------------------------------
def is_what_the_token_is_for(subject: Publication, actor: Actor) -> Verdict:
    """A token that a pipeline was given publishes the packages that trust the pipeline, and no other."""
    normalized = ecosystems.get(subject.ecosystem).normalize_name(subject.name)
    named = f"{STAGE if subject.is_staged else ''}{subject.ecosystem}:{normalized}"
    if not actor.only_for or (named in actor.only_for and subject.package is not None):
        return Verdict("token", "allow", "TOKEN_FITS", "The credential is not for another package alone.")
    said = f"This token publishes {', '.join(sorted(actor.only_for))}, and not {subject.name}."
    return Verdict("token", "deny", "TOKEN_FOR_OTHER", said)


def name_is_free_or_ours(subject: Publication, actor: Actor) -> Verdict:
    """A published name belongs to the project that took it; a third-party name belongs to nobody here.

    So a stranger cannot publish another project's package, nobody can slip an own version under a third-party
    name, and nobody can submit a look-alike version of an internal one (dependency confusion).
    """
    package = subject.package
    if package is not None and (product := grants.find_product(package)) is not None:
        return _put_into_product(subject, product, actor)
    is_pulled = subject.origin == Release.Origin.SYNCED
    if package is None or (actor.is_system and not is_pulled):
        return Verdict("ownership", "allow", "NAME_FREE", "The name is free.")
    if is_pulled and (subject.is_first_party or (package.is_private and package.project_id != subject.project_id)):
        return _taken(subject, "NAME_INTERNAL", "belongs to a project here and is never taken from an upstream")
    if subject.origin == Release.Origin.PUBLISHED and subject.origins and not subject.is_first_party:
        return _taken(
            subject, "NAME_THIRD_PARTY", "is a third-party package here. Submit the version for review instead"
        )
    ours = package.project_id in actor.project_ids and actor.user and projects.may_publish(actor.user, package.project)
    ours = (ours or actor.is_admin) and actor.reaches(package.project_id)
    shared = subject.origin != Release.Origin.PUBLISHED and not subject.is_first_party and not package.is_private
    if ours or shared:
        return Verdict("ownership", "allow", "NAME_OURS", "The name is yours, or a third-party one.")
    what_to_do = "Choose another name, or ask an owner of that project to add you"
    return _taken(subject, "NAME_TAKEN", f"belongs to another project. {what_to_do}")


def _put_into_product(subject: Publication, product: Product, actor: Actor) -> Verdict:
    """The versions of a product come from its own pipeline, by the tokens that may upload them, and nowhere else."""
    if subject.origin != Release.Origin.PUBLISHED or product.deleted_at is not None:
        return _taken(subject, "NAME_PRODUCT", "is a product, or was one: they come by /product/upload alone")
    if not grants.of(product.package, actor).upload:
        return _taken(subject, "NOT_GRANTED", "takes uploads from tokens that one of its maintainers has allowed to")
    return Verdict("ownership", "allow", "NAME_GRANTED", "You may upload versions of this product.")


def _taken(subject: Publication, code: str, why: str) -> Verdict:
    return Verdict("ownership", "deny", code, f"The {subject.ecosystem} package {subject.name} {why}.")


def name_is_not_reserved(subject: Publication, actor: Actor) -> Verdict:
    """Words that the portal's own routes use are no package names."""
    if subject.name.lower() in RESERVED_NAMES:
        return Verdict(
            "reserved", "deny", "NAME_RESERVED", f"“{subject.name}” is a reserved word. Choose another name."
        )
    return Verdict("reserved", "allow", "NAME_ALLOWED", "The name is not reserved.")


# --- approving -----------------------------------------------------------------------------------------------------
def checks_pass(release: Release, actor: Actor) -> Verdict:
    """Every check has ended, and none of those that judge the archive itself failed."""
    checks = list(release.checks.all())
    open_checks = [check.name for check in checks if check.status in Check.OPEN]
    awaited = [check.summary for check in checks if check.status == Check.Status.PENDING and check.summary]
    if awaited:
        return Verdict("checks", "hold", "FILE_AWAITED", awaited[0])
    if open_checks:
        return Verdict("checks", "hold", "CHECKS_RUNNING", f"Checks are still running: {', '.join(open_checks)}.")
    failed = [check for check in checks if check.name in BLOCKING_CHECKS and check.status == Check.Status.FAILED]
    if failed:
        reasons = "; ".join(f"{check.name}: {check.summary}" for check in failed)
        return Verdict("checks", "deny", "CHECK_FAILED", f"A check failed. {reasons}")
    errored = [check.name for check in checks if check.status == Check.Status.ERRORED]
    if errored:
        return Verdict(
            "checks", "hold", "CHECK_ERRORED", f"A check could not be carried out: {', '.join(errored)}. Run it again."
        )
    own = [check for check in checks if check.name in BLOCKING_CHECKS]
    remarks = [f"{check.name} {check.status}" for check in own if check.status != Check.Status.PASSED]
    text = f"No check of the file itself objects ({', '.join(remarks)})." if remarks else "The file itself is sound."
    return Verdict("checks", "allow", "CHECKS_PASSED", text)


def review_policy(release: Release, actor: Actor) -> Verdict:
    """Whether a person must decide: always for submitted packages, by the project's policy for published ones."""
    if release.origin == Release.Origin.SUBMITTED:
        return Verdict(
            "review", "hold", "REVIEW_NEEDED", "Third-party packages are approved by a maintainer, and none has yet."
        )
    if release.stage_id is not None:
        return Verdict(
            "review", "hold", "REVIEW_NEEDED", "It was staged: a maintainer other than its submitter approves it."
        )
    if release.project.review_policy == "manual":
        return Verdict(
            "review", "hold", "REVIEW_NEEDED", f"The project {release.project.slug} wants a maintainer to decide."
        )
    return Verdict("review", "allow", "REVIEW_AUTOMATIC", "The project approves what passes every check.")


# --- downloading ---------------------------------------------------------------------------------------------------
def is_visible(release: Release, actor: Actor) -> Verdict:
    """Private packages are for members of their project; files of products for tokens that were granted them."""
    package = release.package
    if not package.is_visible_to(actor):
        return Verdict("visibility", "deny", "PRIVATE", "This package is private to its project.")
    if not grants.may_download(package, actor):
        return Verdict(
            "visibility",
            "deny",
            "NOT_GRANTED",
            f"This token may not download the product {package.name}.",
            remedy="Ask one of the product’s maintainers to grant the token “download”.",
        )
    return Verdict("visibility", "allow", "VISIBLE", "You may see this package.")


def is_not_removed(release: Release, actor: Actor) -> Verdict:
    """What was unlisted leaves for 24 hours more by exact version; what was removed does not."""
    if release.is_gone:
        return Verdict("retirement", "deny", "REMOVED", "This version was unlisted and its file has been removed.")
    if release.is_unlisted:
        return Verdict("retirement", "allow", "UNLISTED", "This version is unlisted and will be removed.")
    return Verdict("retirement", "allow", "LISTED", "This version is listed.")


def is_decided(release: Release, actor: Actor) -> Verdict:
    """Only approved versions leave. The reason is the one that the decision, or the hold, was given."""
    status = release.status
    if status == Release.Status.APPROVED and release.stands_until and release.stands_until <= timezone.now():
        return Verdict(
            "decision",
            "deny",
            "WAIVER_ENDED",
            f"What its approval rested on ended at {release.stands_until:%Y-%m-%d %H:%M} UTC; it is judged again.",
            remedy="Use another version, or ask a maintainer for a waiver.",
        )
    if status == Release.Status.APPROVED:
        return Verdict("decision", "allow", "APPROVED", "This version is approved.")
    if status == Release.Status.PENDING:
        reason = release.held_because or "It waits for its checks and a decision."
        return Verdict(
            "decision",
            "hold",
            "PENDING",
            f"This version is not approved yet. {reason}",
            remedy="Wait, or ask a maintainer.",
        )
    word = "rejected" if status == Release.Status.REJECTED else "quarantined"
    return Verdict(
        "decision",
        "deny",
        word.upper(),
        f"This version is {word}. {release.held_because}".strip(),
        remedy="Use another version, or ask a maintainer to reconsider.",
    )
