"""`GET /health`: for load balancers and people who wonder."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from registry import diagnosing
from registry.diagnosing import Part


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when every part answers, else 503; never cached, never counted as a download of anything."""
    parts = diagnosing.parts()
    is_well = all(part.is_up for part in parts.values())
    body = {
        "status": "ok" if is_well else "down",
        **{name: part.as_dict() for name, part in parts.items()},
        "mongo": _sentence("Metadata store", parts["database"]),
        "redis": _sentence("Cache", parts["cache"]),
    }
    return JsonResponse(body, status=200 if is_well else 503, headers={"Cache-Control": "no-store"})


def _sentence(what: str, part: Part) -> str:
    """What clients of the products API read under the names of another implementation's parts."""
    return f"{what} is fine ({part.product})" if part.is_up else f"{what} is down ({part.product})"
