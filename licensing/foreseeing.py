"""What the license policy would say of versions that are not here yet, by what their index says of them."""

from functools import cache

from licensing import wording
from licensing.judging import Policy
from registry.upstreams.through.foreseeing import Prospects


def denied(package: Prospects, project_id: int) -> dict[str, str]:
    """The versions that declare a license that the policy denies. One that nobody can read says nothing here."""
    policy = Policy.load(project_id)

    @cache
    def objection(text: str) -> str:
        expression = wording.read(text).expression
        if expression is None:
            return ""
        judgement = policy.judge(expression)
        return judgement.sentence if judgement.status == "denied" else ""

    return {one.version: said for one in package.versions if one.license and (said := objection(one.license))}
