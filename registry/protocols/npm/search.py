"""`npm search`: the catalogue's search over what may be had, in the shape that npm's clients read."""

from typing import Any
from urllib.parse import quote

from django.db.models import prefetch_related_objects
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import origin_of
from registry import covering, searching
from registry.api import caching
from registry.errors import InvalidInput
from registry.models import Package
from registry.protocols.npm.packuments import NpmDoor

DEFAULT, MOST, FARTHEST = 20, 250, 1_000_000
# Meant for another registry's ranking, or for what is not told here: they find nothing by themselves.
PASSED_OVER = frozenset({"author", "maintainer", "not", "is", "boost-exact", "popularity", "quality", "maintenance"})


class SearchDoor(NpmDoor):
    """`/-/v1/search`."""

    def get(self, request: Request) -> Response:
        """`text`, `size` (to 250), `from`; counted is what the caller may see."""
        query = searching.Query(search=words_of(request.GET.get("text", "")), ecosystem="npm", status="approved")
        start, size = _number(request, "from", 0, FARTHEST), _number(request, "size", DEFAULT, MOST)
        total = searching.count(query, self.actor)
        found = searching.search(query, self.actor, total)[start : start + size] if size else []
        covering.present_all(found, self.actor)
        prefetch_related_objects(found, "maintainers__user")
        rows = [_row(one, origin_of(request), 1 / (start + place)) for place, one in enumerate(found, 1)]
        answer = {"objects": rows, "total": total, "time": timezone.now()}
        return Response(answer, headers=caching.revalidated(self.actor))


def words_of(text: str) -> str:
    """The words that are looked for: `keywords:` and `scope:` are words, too; other qualifiers are passed over."""
    words: list[str] = []
    for word in text[:512].split():
        qualifier, colon, value = word.partition(":")
        if not colon or not value:
            words.append(word)
        elif qualifier == "keywords":
            words += value.replace("+", ",").split(",")
        elif qualifier == "scope":
            words.append(value.removeprefix("@"))
        elif qualifier not in PASSED_OVER:
            words.append(word)
    return " ".join(filter(None, words))


def _number(request: Request, field: str, default: int, most: int) -> int:
    """A number of the query, at most so much; npm's clients never send another."""
    given = request.GET.get(field, "")
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise InvalidInput(f"{field} is a number from 0 to {most}.", details={field: [f"from 0 to {most}"]})
    return min(int(given), most)


def _row(package: Package, origin: str, score: float) -> dict[str, Any]:
    people = [{"username": one.user.username, "email": ""} for one in package.maintainers.all()]
    page = f"{origin}/packages/npm/{quote(package.name, safe='@/')}"
    links = {"npm": page, "homepage": package.homepage, "repository": package.repository}
    said = {
        "name": package.name,
        "scope": package.scope.removeprefix("@") or "unscoped",
        "version": package.latest_version,
        "description": package.description,
        "keywords": package.keywords,
        "date": package.updated_at,
        "links": {kind: address for kind, address in links.items() if address},
        "maintainers": people,
        "license": package.license,
    }
    if people:
        said["publisher"] = people[0]
    detail = {"quality": 1, "popularity": 1, "maintenance": 1}
    return {"package": said, "score": {"final": score, "detail": detail}, "searchScore": score}
