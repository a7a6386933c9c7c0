"""What the routes of scanning read and answer (contract section 7)."""

from rest_framework import serializers

from accounts.api.strict import Choice, StrictSerializer, Text
from registry.api.shapes import ECOSYSTEMS
from scanning.models import Scan, Severity

SEVERITIES = Severity.values


class WantedScan(StrictSerializer):
    """Which release to scan again."""

    name = Text(max_length=214)
    version = Text(max_length=128, required=False, help_text="Or a dist-tag; the latest where it is left out")
    ecosystem = Choice(choices=ECOSYSTEMS, required=False, help_text="Where several ecosystems hold the name")


class QueuedScan(serializers.Serializer):
    """A scan that waits for the worker."""

    package = serializers.CharField()
    version = serializers.CharField()
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    status = serializers.ChoiceField(choices=Scan.Status.values)
    url = serializers.CharField(help_text="Where its result will stand")


class Vulnerability(serializers.Serializer):
    """One known flaw, whatever number of tools saw it."""

    id = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    severity = serializers.ChoiceField(choices=SEVERITIES)
    cvss = serializers.FloatField(allow_null=True)
    summary = serializers.CharField(allow_blank=True)
    package = serializers.CharField()
    version = serializers.CharField()
    fixed_in = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_blank=True)
    tools = serializers.ListField(child=serializers.CharField())
    waived = serializers.BooleanField(help_text="Whether a waiver covers it at this moment")


class SeverityCounts(serializers.Serializer):
    """How many flaws of each severity, waived ones included."""

    critical = serializers.IntegerField(min_value=0)
    high = serializers.IntegerField(min_value=0)
    medium = serializers.IntegerField(min_value=0)
    low = serializers.IntegerField(min_value=0)
    unknown = serializers.IntegerField(min_value=0)


class ScanResult(serializers.Serializer):
    """The latest scan of a release."""

    package = serializers.CharField()
    version = serializers.CharField()
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    scan_date = serializers.DateTimeField(allow_null=True, help_text="When the last scan ended; null before the first")
    status = serializers.ChoiceField(choices=Scan.Status.values)
    vulnerabilities = Vulnerability(many=True)
    severity = SeverityCounts()
    tools_used = serializers.ListField(child=serializers.CharField())
    tools_unavailable = serializers.ListField(child=serializers.CharField())
    notes = serializers.DictField(child=serializers.CharField(), help_text="Why a tool was unavailable")


class AdvisoryRow(serializers.Serializer):
    """An advisory in a list."""

    id = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    summary = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=SEVERITIES)
    cvss = serializers.FloatField(allow_null=True)
    url = serializers.CharField(allow_blank=True)
    published = serializers.DateTimeField(allow_null=True)
    modified = serializers.DateTimeField()
    withdrawn = serializers.DateTimeField(allow_null=True)


class Advisories(serializers.Serializer):
    """One page of advisories, the last changed first."""

    advisories = AdvisoryRow(many=True)
    total = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(min_value=1, max_value=100)
    offset = serializers.IntegerField(min_value=0)
    page = serializers.IntegerField(min_value=1)
    pages = serializers.IntegerField(min_value=0)
