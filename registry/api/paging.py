"""Pages of lists: `page` and `limit`, or `limit` and `offset`; and the Link header (RFC 8288)."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from rest_framework.request import Request

from accounts.api.answers import in_query
from registry.api.reading import number_of
from registry.errors import InvalidInput

MAX_LIMIT = 100
MAX_PAGE = 1_000_000
MAX_OFFSET = 100_000_000
_NUMBER = {"type": "integer"}
PARAMETERS = [
    in_query("page", "Which page, from 1; not together with offset", type={**_NUMBER, "minimum": 1}),
    in_query("limit", "Rows on a page: 20, or 100 with offset", type={**_NUMBER, "minimum": 1, "maximum": MAX_LIMIT}),
    in_query("offset", "How many rows to skip; not together with page", type={**_NUMBER, "minimum": 0}),
]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which rows of a list are wanted, and in which of the two ways it was said."""

    limit: int
    offset: int
    by_offset: bool

    @classmethod
    def of(cls, request: Request) -> Self:
        """The paging of a request. Raises InvalidInput for numbers out of range and for page with offset."""
        by_offset = "offset" in request.GET
        if by_offset and "page" in request.GET:
            raise InvalidInput("Give page or offset, not both.", details={"page": ["not together with offset"]})
        limit = number_of(request, "limit", 100 if by_offset else 20, 1, MAX_LIMIT)
        page = number_of(request, "page", 1, 1, MAX_PAGE)
        return cls(limit, number_of(request, "offset", (page - 1) * limit, 0, MAX_OFFSET), by_offset)

    @property
    def rows(self) -> slice:
        """The slice of the list."""
        return slice(self.offset, self.offset + self.limit)

    def figures(self, total: int) -> dict[str, int]:
        """What the answer says of itself."""
        return {
            "total": total,
            "limit": self.limit,
            "offset": self.offset,
            "page": self.offset // self.limit + 1,
            "pages": -(-total // self.limit),
        }

    def links(self, request: Request, total: int) -> str:
        """The Link header: first and last, previous and next where there are any."""
        last = max(0, (total - 1) // self.limit * self.limit)
        offsets = {"first": 0, "last": last}
        if self.offset > 0:
            offsets["prev"] = min(max(0, self.offset - self.limit), last)
        if self.offset + self.limit < total:
            offsets["next"] = self.offset + self.limit
        return ", ".join(f'<{self._address(request, at)}>; rel="{name}"' for name, at in offsets.items())

    def _address(self, request: Request, offset: int) -> str:
        query: dict[str, Any] = {key: value for key, value in request.GET.items() if key not in ("page", "offset")}
        query["limit"] = self.limit
        query |= {"offset": offset} if self.by_offset else {"page": offset // self.limit + 1}
        return str(request.build_absolute_uri(f"{request.path}?{urlencode(query)}"))
