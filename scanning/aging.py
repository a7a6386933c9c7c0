"""The age check: is the version older than the policy's cooldown, and if not, when will it be?"""

from django.utils import timezone

from registry import tasks
from registry.checking import Result
from registry.models import Release
from scanning import policies

NAME = "age"
COMES_OF_AGE = "comes-of-age"


def check_age(release: Release) -> Result:
    """Warned while the version is younger than the cooldown, and asked again at its end; skipped where there is none.

    It only tells: `gates.is_old_enough` is what holds the version.
    """
    rules = policies.rules_for(release.project_id)
    at = rules.old_enough_at(release)
    if at is None:
        return Result("skipped", "The policy asks for no age.")
    published, days = since(release), rules.cooldown_days
    details = {"cooldown_days": days, "old_enough_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    left = (at - timezone.now()).total_seconds()
    if left <= 0:
        return Result("passed", f"{published}; the policy asks for {days} days.", details)
    tasks.enqueue(COMES_OF_AGE, release.pk, delay=left)
    return Result("warned", f"{published}, and the policy waits until {at:%Y-%m-%d %H:%M} UTC.", details)


def since(release: Release) -> str:
    """What its age counts from, as the beginning of a sentence."""
    if release.released_at is not None:
        return f"Its upstream released it on {release.released_at:%Y-%m-%d}"
    word = "was published" if release.origin == Release.Origin.PUBLISHED else "arrived here"
    return f"It {word} on {release.submitted_at:%Y-%m-%d}"
