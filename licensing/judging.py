"""This instance's policy over an expression: OR takes its best branch, AND its worst."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from licensing import expressions, reference, spdx
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


Line = tuple[str, str, int]  # status, note, project (0: the instance)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is in force in one project, or in the instance: key -> line.

    A line for a license goes before one for its category; within each, the project's before the instance's.
    """

    licenses: dict[str, Line] = field(default_factory=dict)
    categories: dict[str, Line] = field(default_factory=dict)

    @classmethod
    def load(cls, project_id: int | None = None) -> "Policy":
        """The policy as it stands now in the project, or for the whole instance; one query."""
        return Policies.load(project_id).of(project_id)

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
        status, note, _ = self.categories.get(category, ("review", "", 0))
        return Judgement(status, license, category, note)

    def _judge_license(self, leaf: License) -> Judgement:
        category, key = category_of(leaf), self._key_of(leaf)
        if key:
            status, note, _ = self.licenses[key]
            return Judgement(status, str(leaf), category, note)
        return self.judge_category(category, str(leaf))

    def _key_of(self, leaf: License) -> str:
        """Which line for a license counts: its own, or without its exception where that denies or there is none."""
        if str(leaf) in self.licenses:
            return str(leaf)
        plain = self.licenses.get(leaf.id)
        return leaf.id if plain and (plain[0] == "denied" or not leaf.exception) else ""

    def decides(self, kind: str, key: str, project_id: int, details: Mapping[str, Any]) -> bool:
        """Whether a line of the project (0: of the instance) decides, or would if it stood, over what a check read."""
        table = self.licenses if kind == LicensePolicy.Kind.LICENSE else self.categories
        if not project_id and key in table and table[key][2]:
            return False  # the release's own project says otherwise
        leaves = list(_leaves(details))
        if kind == LicensePolicy.Kind.LICENSE:
            return any(key in (leaf.id, str(leaf)) for leaf in leaves)
        wanted = {category_of(leaf) for leaf in leaves if not self._key_of(leaf)}
        if not details.get("expression") and not details.get("candidates"):
            wanted.add("proprietary" if details.get("proprietary") else "unknown")
        return key in wanted


def _leaves(details: Mapping[str, Any]) -> Iterator[License]:
    """Every license that a check's details name."""
    named = [details.get("expression"), *details.get("candidates", ()), *(details.get("undeclared") or ())]
    for text in filter(None, named):
        yield from expressions.leaves(spdx.parse(text))


@dataclass(frozen=True, slots=True)
class Policies:
    """Every line of the instance and of its projects, read in one query."""

    lines: tuple[LicensePolicy, ...] = ()

    @classmethod
    def load(cls, project_id: int | None = None) -> "Policies":
        """All of them; with a project only its lines and the instance's. Catches up with newer reference data, too."""
        reference.catch_up()
        found = LicensePolicy.objects.all()
        if project_id:
            found = found.filter(Q(project=None) | Q(project=project_id))
        return cls(tuple(sorted(found, key=lambda line: line.project_id or 0)))

    def of(self, project_id: int | None) -> Policy:
        """What is in force in that project; for None in the instance."""
        policy = Policy()
        for line in self.lines:
            if line.project_id in (None, project_id):
                table = policy.licenses if line.kind == LicensePolicy.Kind.LICENSE else policy.categories
                table[line.key] = (line.status, line.note, line.project_id or 0)
        return policy


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
