"""Licence facts for everyone."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from licensing import describing
from licensing.api.shapes import LicenseFacts
from registry.api import caching
from registry.errors import InvalidInput

LONGEST = 1000
WITH = in_query("with", "A second license or expression: adds how the two get along, both ways")


class LicenseDoor(Door):
    """`/licenses/{spdx}`."""

    @route("What is known of a license", "Licences", {200: LicenseFacts}, 404, parameters=[WITH])
    def get(self, request: Request, spdx: str) -> Response:
        """An SPDX id or expression, or what people write for one: facts, and this instance's policy.

        Unknown ids are 404 with the nearest ones.
        """
        other = request.query_params.get("with", "")
        if max(len(spdx), len(other)) > LONGEST or "\x00" in spdx + other:
            raise InvalidInput(f"A license expression in an address has at most {LONGEST} characters and no NUL.")
        return Response(describing.describe(spdx, other), headers=caching.revalidated(self.actor))
