"""May I have this, and why not? Asked by package URL, answered by every gate."""

from packageurl import PackageURL
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from registry import ecosystems, explaining, resolving
from registry.api import caching
from registry.api.reading import FILLED, text_of
from registry.api.shapes import Explanation
from registry.errors import InvalidInput

ALIASES = {"oci": "docker"}
EXAMPLE = "pkg:npm/%40acme-utils/core@1.2.0"


class ExplainDoor(Door):
    """`/explain`."""

    is_public = True

    @route(
        "May I have this, and why not?",
        "Packages",
        {200: Explanation},
        404,
        410,
        parameters=[
            in_query(
                "purl", f"A package URL, as in `{EXAMPLE}`; without a version the latest", required=True, type=FILLED
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The verdict of every gate for this caller, the standing decision, and what the caller can do."""
        ecosystem, name, version = _asked(text_of(request, "purl", longest=1024, required=True))
        package = resolving.find_package(name, self.actor, ecosystem)
        release = resolving.find_release(package, version or "latest", self.actor, even_uncovered=True)
        found = explaining.explain(release, self.actor)
        answer = {
            "purl": ecosystems.get(ecosystem).purl(package.name, release.version),
            "answer": found.answer,
            "verdicts": [verdict.as_dict() for verdict in found.verdicts],
            "decision": found.decision_row(),
            "remedies": found.remedies,
        }
        return Response(answer, headers=caching.revalidated(self.actor))


def _asked(text: str) -> tuple[str, str, str]:
    """Ecosystem, name and version of a package URL. Raises InvalidInput."""
    try:
        purl = PackageURL.from_string(text)
    except ValueError as error:
        raise InvalidInput(
            f"This is no package URL. Give it as in {EXAMPLE}.", details={"purl": [str(error)[:200]]}
        ) from error
    ecosystem = ALIASES.get(purl.type, purl.type)
    ecosystems.get(ecosystem)
    separator = ":" if ecosystem == "maven" else "/"
    name = f"{purl.namespace}{separator}{purl.name}" if purl.namespace else purl.name
    return ecosystem, name, purl.version or ""
