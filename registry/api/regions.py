"""How the EU regions stand (contract section 8)."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import route
from accounts.api.doors import Door
from registry.mirrors import standing

STATES = [str(status) for status in standing.Status]


class Latency(serializers.Serializer):
    """Round trips of the last 60 probes, in milliseconds: a few bytes written, read back and removed."""

    last = serializers.FloatField(min_value=0, allow_null=True)
    p50 = serializers.FloatField(min_value=0, allow_null=True)
    p95 = serializers.FloatField(min_value=0, allow_null=True)


class RegionState(serializers.Serializer):
    """One region."""

    region = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166")
    status = serializers.ChoiceField(choices=STATES)
    latency_ms = Latency()
    lag_seconds = serializers.IntegerField(min_value=0, help_text="Age of the oldest change that is not there yet")
    pending = serializers.IntegerField(min_value=0, help_text="Packages that are yet to be brought there")
    failed_packages = serializers.IntegerField(min_value=0, help_text="Of these, how many failed and are retried")
    last_success_at = serializers.DateTimeField(allow_null=True)


class RegionStates(serializers.Serializer):
    """All regions: `healthy` where each of them is, `down` where none answers (or none is set up)."""

    status = serializers.ChoiceField(choices=STATES)
    checked_at = serializers.DateTimeField()
    regions = RegionState(many=True)
    failed_packages = serializers.IntegerField(min_value=0)
    pending = serializers.IntegerField(min_value=0)
    next_sync_window = serializers.DateTimeField(
        allow_null=True, help_text="When changes travel next, to any region; null where no worker runs"
    )


class RegionsDoor(Door):
    """`/registry/sync/status`."""

    is_public = True

    @route("How the EU regions stand", "Regions", {200: RegionStates})
    def get(self, request: Request) -> Response:
        """Told from what the worker wrote down: it probes every region every five seconds."""
        found = standing.now()
        answer = {
            "status": str(found.status),
            "checked_at": found.checked_at,
            "regions": [_row(region) for region in found.regions],
            "failed_packages": found.failed_packages,
            "pending": found.pending,
            "next_sync_window": found.next_sync_window,
        }
        return Response(answer, headers={"Cache-Control": "no-store"})


def _row(region: standing.Region) -> dict[str, Any]:
    mirror = region.mirror
    return {
        "region": mirror.region,
        "city": mirror.city,
        "country": mirror.country,
        "status": str(region.status),
        "latency_ms": region.latency._asdict(),
        "lag_seconds": region.lag_seconds,
        "pending": region.pending,
        "failed_packages": region.failed_packages,
        "last_success_at": mirror.last_success_at,
    }
