"""Pulling from upstreams over HTTP (contract section 9)."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from accounts.api.strict import StrictSerializer, Text
from registry.api.reading import number_of
from registry.upstreams import reporting, syncing
from registry.upstreams.models import SyncRun

TAG = "Pull sync"
STATES = SyncRun.State.values
LIMIT = in_query("limit", "How many runs", type={"type": "integer", "minimum": 1, "maximum": 100})


class WantedSync(StrictSerializer):
    """What to pull from; nothing: every enabled upstream."""

    upstream = Text(max_length=64, required=False, help_text="The name of an upstream")


class Queued(serializers.Serializer):
    """A run that was just asked for."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=STATES)
    upstreams = serializers.ListField(child=serializers.CharField())


class Progress(serializers.Serializer):
    """How far it is; the total grows while the upstream is listed."""

    total = serializers.IntegerField(min_value=0)
    done = serializers.IntegerField(min_value=0)


class Failure(serializers.Serializer):
    """What was not taken, and why; where a whole upstream was not to be had, its name stands for the package."""

    package = serializers.CharField()
    error = serializers.CharField()


class Run(Queued):
    """A run as it stands; the counts are of files, which most versions have one of."""

    startedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815  # the contract's name
    finishedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815  # the contract's name
    progress = Progress()
    added = serializers.IntegerField(min_value=0)
    updated = serializers.IntegerField(min_value=0, help_text="The same bytes, deprecated or said otherwise")
    skipped = serializers.IntegerField(min_value=0, help_text="Here already, or removed here")
    failed = serializers.IntegerField(min_value=0)
    errors = Failure(  # type: ignore[assignment]  # the contract's name
        many=True, help_text=f"The first {reporting.MOST_ERRORS}"
    )


class Runs(serializers.Serializer):
    """The latest runs."""

    runs = Run(many=True)


class SyncsDoor(Door):
    """`/sync`."""

    @route("The latest runs", TAG, {200: Runs}, parameters=[LIMIT])
    def get(self, request: Request) -> Response:
        """The latest first, 20 unless `limit` says otherwise. Needs the scope `sync`."""
        limit = number_of(request, "limit", 20, 1, 100)
        told = reporting.tell(syncing.runs(self.actor)[:limit], self.actor)
        return Response({"runs": [one.as_dict() for one in told]})

    @route("Pull from upstreams", TAG, {202: Queued}, 404, 409, 413, 415, request=WantedSync)
    def post(self, request: Request) -> Response:
        """From one, or without a body from every enabled one. Needs the scope `sync`.

        One that runs already is 409, with the run's id in `details`.
        """
        self.actor.need("sync")
        given = request.data if _has_body(request) else {}
        run = syncing.start(self.actor, WantedSync.read(given).get("upstream", ""))
        (told,) = reporting.tell(SyncRun.objects.filter(pk=run.pk), self.actor)
        answer = told.as_dict()
        address = request.path.rstrip("/") + f"/{run.pk}"
        return Response(
            {name: answer[name] for name in ("id", "status", "upstreams")}, 202, headers={"Location": address}
        )


def _has_body(request: Request) -> bool:
    """Whether anything was sent; clients that send nothing say that it is of some type all the same."""
    return request.META.get("CONTENT_LENGTH") not in (None, "", "0") or "Transfer-Encoding" in request.headers


class SyncDoor(Door):
    """`/sync/{id}`."""

    @route("How a run stands", TAG, {200: Run}, 404)
    def get(self, request: Request, id: UUID) -> Response:
        """Needs the scope `sync`."""
        run = syncing.find(id, self.actor)
        (told,) = reporting.tell(SyncRun.objects.filter(pk=run.pk), self.actor)
        return Response(told.as_dict())


class CancelSyncDoor(Door):
    """`/sync/{id}/cancel`."""

    @route("Cancel a run", TAG, {200: Run}, 404, 409, request=None)
    def post(self, request: Request, id: UUID) -> Response:
        """What it has taken stays, and the next run goes on from there. Needs the scope `sync`."""
        run = syncing.cancel(syncing.find(id, self.actor), self.actor)
        (told,) = reporting.tell(SyncRun.objects.filter(pk=run.pk), self.actor)
        return Response(told.as_dict())
