"""Approving: decisions by maintainers and by policy, each recorded as evidence on the digest it was made on."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from registry import documents, ecosystems, gates, grants, objecting, signals, tasks
from registry.errors import Conflict, Forbidden, InvalidInput
from registry.models import Check, Decision, DistTag, Job, Release
from registry.webhooks import announcing

STATUS = Release.Status
DECIDABLE = (STATUS.PENDING, STATUS.QUARANTINED)
REASON_LIMIT = 4000
UNFINISHED = frozenset({"CHECKS_RUNNING", "CHECK_ERRORED", "FILE_AWAITED", "TOO_NEW"})
AGAIN = "reconsider"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision about to be written."""

    answer: str
    reason: str
    override: bool = False
    verdicts: tuple[gates.Verdict, ...] = ()


def approve(
    release: Release, actor: Actor, *, reason: str = "", override: bool = False, sha256: str | None = None
) -> Release:
    """Approve a pending or quarantined release.

    `sha256` is the digest that was reviewed. Over an objection of a check or policy it needs `override` and a reason.
    Raises Forbidden (own submission, no maintainer), Conflict (decided meanwhile, other digest, objections).
    """
    release = _fresh(release)
    actor.need("review", release.package.project_id)
    _refuse_own(release, actor)
    verdicts = tuple(gates.ask("approving", release, actor))
    _refuse_over_objections(verdicts, override, reason)
    recorded = tuple(_reviewed(verdict, actor) for verdict in verdicts)
    ruling = Ruling(STATUS.APPROVED, reason, any(map(needs_override, verdicts)), recorded)
    return _decide(release, actor, ruling, DECIDABLE, sha256)


def reject(release: Release, actor: Actor, *, reason: str, sha256: str | None = None) -> Release:
    """Reject a pending or quarantined release, with a reason that its submitter will read."""
    release = _fresh(release)
    actor.need("review", release.package.project_id)
    ruling = Ruling(STATUS.REJECTED, _need_reason(reason), verdicts=tuple(gates.ask("approving", release, actor)))
    return _decide(release, actor, ruling, DECIDABLE, sha256)


def take_back(release: Release, actor: Actor) -> Release:
    """Let who staged a version have it rejected while it waits; its number stays used. Raises Forbidden, Conflict."""
    release = _fresh(release)
    actor.need("publish", release.package.project_id)
    if release.stage_id is None or actor.user is None or release.submitted_by_id != actor.user.pk:
        raise Forbidden("Only who staged a version may take it back.", code="not_staged_by_you")
    return _decide(
        release, actor, Ruling(STATUS.REJECTED, "Its submitter has taken it back."), (STATUS.PENDING,), None
    )


def quarantine(release: Release, actor: Actor, *, reason: str) -> Release:
    """Withdraw an approved release at once, with a reason."""
    release = _fresh(release)
    actor.need("review", release.package.project_id)
    ruling = Ruling(STATUS.QUARANTINED, _need_reason(reason), verdicts=tuple(gates.ask("approving", release, actor)))
    return _decide(release, actor, ruling, (STATUS.APPROVED,), None)


def reconsider(release: Release, *, has_news: bool = False) -> Release:
    """Bring the status in line with today's verdicts: approve what nothing holds, withdraw what is now denied.

    What a person rejected or withdrew stays so; what a person approved over an objection stays until a new one
    appears; what policy withdrew comes back when nothing stands against it any more. `has_news` where its checks say
    something else by now: its documents are built again, even if no decision does so.
    """
    release = _fresh(release)
    stood = release.status, release.held_because
    _bring_in_line(release)
    if has_news and (release.status, release.held_because) == stood:
        with transaction.atomic():
            documents.hold(release.package_id)
            documents.rebuild(release.package, "checked", release)
    return release


def _bring_in_line(release: Release) -> None:
    if grants.find_product(release.package) is not None:
        return  # decided by who may upload, and by people
    if release.is_purged or (release.is_unlisted and release.status == STATUS.PENDING):
        _keep(release, release.held_because, ())
        return
    verdicts = tuple(gates.ask("approving", release, SYSTEM))
    ruling = _due(release, verdicts)
    if ruling is not None:
        _decide(release, SYSTEM, ruling, (release.status,), None)
    elif release.status == STATUS.PENDING:
        objection = gates.first_objection(verdicts)
        _keep(release, objection.reason if objection else "", verdicts)
    elif release.status == STATUS.APPROVED:
        _flag(release, verdicts)
    else:
        _keep(release, release.held_because, ())


def admit(release: Release, reason: str) -> Release:
    """Approve what needs no review, in the transaction that writes it: the upload of a product's own pipeline."""
    verdict = gates.Verdict("review", "allow", "REVIEW_NOT_NEEDED", reason)
    return _decide(release, SYSTEM, Ruling(STATUS.APPROVED, reason, verdicts=(verdict,)), (STATUS.PENDING,), None)


@tasks.periodically("sweep")
def reconsider_ended() -> int:
    """Queue every release whose status rested on something that has ended; returns how many."""
    ended = Release.objects.filter(stands_until__lte=timezone.now()).order_by("stands_until")
    waiting = list(ended.values_list("pk", flat=True)[:500])
    keys = {f"{AGAIN}:{pk}": pk for pk in waiting}
    queued = Job.objects.filter(dedupe_key__in=keys, state=Job.State.OPEN) if keys else Job.objects.none()
    for key in keys.keys() - set(queued.values_list("dedupe_key", flat=True)):
        tasks.enqueue(AGAIN, keys[key])
    return len(waiting)


@tasks.handles(AGAIN)
def reconsider_one(job: Job) -> None:
    """Reconsider the release that the job names."""
    reconsider(Release.objects.get(pk=job.ref))


def _fresh(release: Release) -> Release:
    return Release.objects.select_related("package__project", "project", "submitted_by").get(pk=release.pk)


# --- what a decision must satisfy ----------------------------------------------------------------------------------
def _refuse_own(release: Release, actor: Actor) -> None:
    own = actor.user is not None and release.submitted_by_id == actor.user.pk
    if own and not settings.REVIEW_SELF_APPROVAL:
        raise Forbidden("You submitted this version yourself; another maintainer must decide.", code="self_approval")


def _need_reason(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput("Give a reason: the submitter will read it.", details={"reason": ["required"]})
    if len(reason) > REASON_LIMIT:
        raise InvalidInput(f"Keep the reason under {REASON_LIMIT} characters.", details={"reason": ["too long"]})
    return reason.strip()


def needs_override(verdict: gates.Verdict) -> bool:
    """Whether approving would overrule the verdict: a denial, or evidence that is not in.

    A license that policy wants looked at, or that a person is asked for, is no objection to the person who looks.
    """
    return verdict.gate != "review" and (verdict.answer == "deny" or verdict.code in UNFINISHED)


def _reviewed(verdict: gates.Verdict, actor: Actor) -> gates.Verdict:
    """The verdict as the record keeps it: a wait for a maintainer ends with the maintainer's decision."""
    if verdict.gate != "review" or verdict.answer != "hold":
        return verdict
    by = actor.user.username if actor.user else "policy"
    return gates.Verdict("review", "allow", "REVIEWED", f"A maintainer, {by}, has looked at it and decided.")


def _refuse_over_objections(verdicts: tuple[gates.Verdict, ...], override: bool, reason: str) -> None:
    objections = [verdict for verdict in verdicts if needs_override(verdict)]
    if not objections:
        return
    if not override:
        raise Conflict(
            f"{objections[0].reason} Approving anyway needs an override and a reason.",
            code="checks_running" if objections[0].code == "CHECKS_RUNNING" else "objection",
            details={"verdicts": [verdict.as_dict() for verdict in objections]},
        )
    _need_reason(reason)


# --- what policy does by itself ------------------------------------------------------------------------------------
def _due(release: Release, verdicts: tuple[gates.Verdict, ...]) -> Ruling | None:
    """The decision that policy takes now, or None where the status stays as it is."""
    if release.status == STATUS.PENDING and gates.worst(verdicts) == "allow":
        return Ruling(STATUS.APPROVED, "Every check passed and the project's policy is automatic.", verdicts=verdicts)
    if release.status == STATUS.APPROVED and (news := objecting.new_objections(release, verdicts)):
        return Ruling(STATUS.QUARANTINED, news[0].reason, verdicts=verdicts)
    listed = not release.is_unlisted
    if release.status == STATUS.QUARANTINED and listed and objecting.may_return(release, verdicts):
        reason = "What policy withdrew it for no longer stands against it."
        return Ruling(STATUS.APPROVED, reason, verdicts=verdicts)
    return None


def _flag(release: Release, verdicts: tuple[gates.Verdict, ...]) -> None:
    """Mark an approved version that breaks a policy which lets it stay; take the mark away when it no longer does."""
    marked = objecting.flag(release, verdicts)
    news = marked if marked and marked.reason != release.held_because else None
    _keep(release, marked.reason if marked else "", verdicts, news)


def _keep(release: Release, why: str, verdicts: tuple[gates.Verdict, ...], news: gates.Verdict | None = None) -> None:
    """Keep the one sentence that explains the status where lists can read it, and until when it holds."""
    until = objecting.until(verdicts, approved=release.status == STATUS.APPROVED)
    if (why, until) == (release.held_because, release.stands_until):
        return
    with transaction.atomic():
        documents.hold(release.package_id)
        standing = Release.objects.filter(pk=release.pk, status=release.status)
        if not standing.update(held_because=why, stands_until=until):
            return
        if news is not None:
            _record(release, SYSTEM, Ruling(Decision.Answer.FLAGGED, news.reason, verdicts=verdicts), release.status)
        if why != release.held_because:
            documents.rebuild(release.package, "held", release)
    release.held_because, release.stands_until = why, until


# --- writing it down -----------------------------------------------------------------------------------------------
def _decide(release: Release, actor: Actor, ruling: Ruling, allowed: tuple[str, ...], sha256: str | None) -> Release:
    """One conditional update decides who wins; only the winner writes the record."""
    if sha256 is not None and sha256 != release.reviewed_sha256:
        raise Conflict("The file is not the one that was reviewed. Look at it again.", code="digest_changed")
    with transaction.atomic():
        documents.hold(release.package_id)
        looked_at = {"sha256": release.sha256, "files_sha256": release.files_sha256}
        standing = Release.objects.filter(pk=release.pk, status__in=allowed, **looked_at)
        # an unlisted version still leaves by its number, so it can be withdrawn until its file is gone
        gone = "purged_at" if ruling.answer == STATUS.QUARANTINED else "unlisted_at"
        standing = standing.filter(**{f"{gone}__isnull": True})
        approved = ruling.answer == STATUS.APPROVED
        held_because = "" if approved else ruling.reason
        until = objecting.until(ruling.verdicts, approved=True) if approved else None
        if not standing.update(status=ruling.answer, held_because=held_because, stands_until=until):
            raise _too_late(release)
        before, release.status = release.status, ruling.answer
        release.held_because, release.stands_until = held_because, until
        _record(release, actor, ruling, before)
        if approved:
            move_tag(release)
        documents.rebuild(release.package, ruling.answer, release)
        signals.announce(signals.release_approved if approved else signals.release_retired, release)
    return release


def _too_late(release: Release) -> Conflict:
    now = Release.objects.get(pk=release.pk)
    if now.reviewed_sha256 != release.reviewed_sha256:
        return Conflict("A file has joined this version meanwhile. Look at it again.", code="digest_changed")
    word = "unlisted" if now.is_unlisted else now.status
    return Conflict(f"This version is {word} already; this decision no longer applies to it.", code="not_decidable")


def _record(release: Release, actor: Actor, ruling: Ruling, before: str) -> None:
    by_name = actor.user.username if actor.user else "policy"
    checks = [
        {"name": check.name, "status": check.status, "summary": check.summary}
        for check in Check.objects.filter(release=release)
    ]
    decision = Decision.objects.create(
        release=release,
        answer=ruling.answer,
        by=actor.user,
        by_name=by_name,
        pseudonym=actor.pseudonym,
        reason=ruling.reason,
        sha256=release.reviewed_sha256,
        override=ruling.override,
        verdicts=[verdict.as_record() for verdict in ruling.verdicts],
        checks=checks,
    )
    announcing.announce_decision(decision, previous_status=before)
    package = release.package
    auditing.record(
        f"release.{ruling.answer}",
        f"{package.ecosystem}:{package.name}@{release.version}",
        actor,
        details={"sha256": release.reviewed_sha256, "override": ruling.override, "decision": decision.pk},
        project=release.project.slug,
    )
    signals.decision_recorded.send(sender=Decision, decision=decision)


def move_tag(release: Release) -> None:
    """Give the release its dist-tag; `latest` only moves up, and never from a stable version to a pre-release."""
    tag = release.requested_tag or "latest"
    standing = DistTag.objects.select_related("release").filter(package=release.package, tag=tag).first()
    served = standing is not None and standing.release.is_served and not standing.release.is_unlisted
    rules = ecosystems.get(release.package.ecosystem)
    if standing and served and tag == "latest" and _rank(standing.release, rules) > _rank(release, rules):
        return
    if standing is None:
        DistTag.objects.create(package=release.package, tag=tag, release=release)
    else:
        standing.release, standing.updated_at = release, timezone.now()
        standing.save(update_fields=["release", "updated_at"])


def _rank(release: Release, rules: ecosystems.Ecosystem) -> tuple[bool, Any]:
    """How high it stands in the ecosystem's order, stable versions above all pre-releases."""
    return not rules.is_prerelease(release.version), rules.sort_key(release.version)
