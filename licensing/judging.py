"""This instance's policy over an expression: OR takes its best branch, AND its worst."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from licensing import spdx
from licensing.expressions import Expression, License, Or
from licensing.models import LicensePolicy

ORDER = {"approved": 0, "review": 1, "denied": 2}
# What an exception makes of a strong copyleft, where ScanCode says that the exception opens it.
OPENED = {"strong-copyleft": "weak-copyleft"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the policy says, about which license and category, and why."""

    status: str
    license: str
    category: str
    note: str = ""

    @property
    def sentence(self) -> str:
        """The judgement in words."""
        words = {
            "approved": f"The policy approves {self.license} ({self.category}).",
            "review": f"The policy wants a look at {self.license} ({self.category}).",
            "denied": f"The policy denies {self.license} ({self.category}).",
        }
        return f"{words[self.status]} {self.note}".strip()


@dataclass(frozen=True, slots=True)
class Policy:
    """The lines of the policy, loaded once: key -> (status, note)."""

    licenses: dict[str, tuple[str, str]] = field(default_factory=dict)
    categories: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Self:
        """The policy as it stands now, in one query."""
        policy = cls()
        for line in LicensePolicy.objects.all():
            table = policy.licenses if line.kind == LicensePolicy.Kind.LICENSE else policy.categories
            table[line.key] = (line.status, line.note)
        return policy

    def judge(self, expression: Expression) -> Judgement:
        """The verdict over the tree; what the policy has no line for needs a look."""
        if isinstance(expression, License):
            return self._judge_license(expression)
        choose = best if isinstance(expression, Or) else worst
        return choose(self.judge(part) for part in expression.parts)

    def judge_candidates(self, license_ids: Iterable[str]) -> Judgement:
        """The verdict over a family of which nobody said the member: the worst that it may mean."""
        return worst(self.judge(spdx.parse(license_id)) for license_id in license_ids)

    def judge_category(self, category: str, license: str) -> Judgement:
        """The verdict over a category, about a license that is known by nothing else."""
        status, note = self.categories.get(category, ("review", ""))
        return Judgement(status, license, category, note)

    def _judge_license(self, leaf: License) -> Judgement:
        category = category_of(leaf)
        plain = self.licenses.get(leaf.id)
        line = self.licenses.get(str(leaf)) or (
            plain if plain and (plain[0] == "denied" or not leaf.exception) else None
        )
        if line:
            return Judgement(line[0], str(leaf), category, line[1])
        return self.judge_category(category, str(leaf))


def category_of(leaf: License) -> str:
    """The category of a license with its exception; unknown for what SPDX does not list."""
    known = spdx.facts(leaf.id)
    if known is None:
        return "unknown"
    if leaf.exception and spdx.exception_category(leaf.exception) in ("weak-copyleft", "permissive"):
        return OPENED.get(known.category, known.category)
    return known.category


def best(judgements: Iterable[Judgement]) -> Judgement:
    """The judgement of whoever may choose."""
    return min(judgements, key=lambda judgement: ORDER[judgement.status])


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """The judgement of whoever is bound by all."""
    return max(judgements, key=lambda judgement: ORDER[judgement.status])
