"""Debts of a region: packages that could not be brought in line; tried for ever, ever more seldom, in no one's way."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from registry.mirrors.models import Debt, Mirror
from registry.models import Package

LONGEST = 300
AT_ONCE = 50


def due(mirror: Mirror) -> QuerySet[Debt]:
    """What to try again now, the longest waiting first."""
    owed = Debt.objects.filter(mirror=mirror, due_at__lte=timezone.now()).select_related("package")
    return owed.order_by("due_at")[:AT_ONCE]


def owe(mirror: Mirror, package: Package, problem: Exception) -> None:
    """Note the failure; the next try comes after 2, 4, 8 … seconds, 300 at most."""
    debt, is_new = Debt.objects.get_or_create(mirror=mirror, package=package)
    attempts = 1 if is_new else debt.attempts + 1
    rest = timezone.now() + timedelta(seconds=min(2 ** min(attempts, 12), LONGEST))
    text = f"{type(problem).__name__}: {problem}"[:500]
    Debt.objects.filter(pk=debt.pk).update(attempts=attempts, due_at=rest, last_error=text)


def ask_for(mirror: Mirror, packages: set[int]) -> None:
    """Have these packages brought in line again, as soon as may be: nothing has failed."""
    Debt.objects.bulk_create([Debt(mirror=mirror, package_id=pk) for pk in sorted(packages)], ignore_conflicts=True)


def settle(mirror: Mirror, package: Package) -> None:
    """Nothing is owed any more."""
    Debt.objects.filter(mirror=mirror, package=package).delete()


def put_off(debt: Debt) -> None:
    """Removals are made up for, and what is to be added waits for the window: look again in a minute."""
    Debt.objects.filter(pk=debt.pk).update(due_at=timezone.now() + timedelta(minutes=1))
