"""What the routes of scanning read and answer (contract section 7)."""

from rest_framework import serializers

from accounts.api.strict import Choice, Moment, StrictSerializer, Text
from registry.api.shapes import ECOSYSTEMS, Paged
from scanning import consulting, standings
from scanning.models import Kind, Scan, Severity

SEVERITIES = Severity.values
WAIVER_STATES = ("live", "ended", "expired")


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
    """One thing that is wrong, whatever number of tools saw it."""

    id = serializers.CharField(help_text="The advisory's id, or the rule that struck and the file it struck in")
    kind = serializers.ChoiceField(choices=Kind.values)
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


class WantedWaiver(StrictSerializer):
    """What a maintainer answers for, why, and until when."""

    finding = Text(max_length=128, help_text="The id of the finding, or one of its aliases")
    ecosystem = Choice(choices=ECOSYSTEMS)
    package = Text(max_length=214, help_text="The package that the finding is in")
    versions = Text(max_length=256, help_text="A range in the ecosystem's own grammar; * for every version")
    project = Text(max_length=64, required=False, help_text="For whose versions; default: the project of the request")
    reason = Text(max_length=4000)
    expires_at = Moment(help_text="Still to come, and within the time that this portal allows")


class WaiverRow(serializers.Serializer):
    """A waiver: who answers for what, why, and until when."""

    id = serializers.IntegerField()
    finding = serializers.CharField()
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    package = serializers.CharField()
    versions = serializers.CharField()
    project = serializers.CharField()
    reason = serializers.CharField()
    owner = serializers.CharField()
    status = serializers.ChoiceField(choices=WAIVER_STATES)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When somebody ended it before its time")


class Waivers(Paged):
    """One page of waivers, the last given first."""

    waivers = WaiverRow(many=True)


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


class Advisories(Paged):
    """One page of advisories, the last changed first."""

    advisories = AdvisoryRow(many=True)


class RecalledVersion(serializers.Serializer):
    """A version here that the advisory touches, and how far it got."""

    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    name = serializers.CharField()
    version = serializers.CharField()
    status = serializers.CharField()
    removed = serializers.BooleanField(help_text="Whether its files are gone from here; what was taken is not")
    fixed_in = serializers.CharField(allow_null=True)
    downloads = serializers.IntegerField(min_value=0, help_text="In all, those of strangers included")
    credentials = serializers.IntegerField(min_value=0, help_text="How many different ones took it")


class TakenWith(serializers.Serializer):
    """What was shown at a download: never more than its name and beginning."""

    kind = serializers.ChoiceField(choices=["session", "token", "license"])
    name = serializers.CharField(allow_null=True)
    prefix = serializers.CharField(allow_null=True)


class RecallTaking(serializers.Serializer):
    """That one credential took one version."""

    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    name = serializers.CharField()
    version = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    user = serializers.CharField(allow_null=True)
    credential = TakenWith()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    count = serializers.IntegerField(min_value=0)
    notified_at = serializers.DateTimeField(allow_null=True, help_text="When this person was told of this version")


class RecallPage(Paged):
    """What an advisory means here, and one page of who took it, the last taken first."""

    advisory = serializers.CharField()
    known_as = serializers.ListField(child=serializers.CharField())
    severity = serializers.ChoiceField(choices=SEVERITIES)
    summary = serializers.CharField(allow_blank=True)
    withdrawn = serializers.DateTimeField(allow_null=True)
    versions = RecalledVersion(many=True)
    taken = RecallTaking(many=True)


class HonouredWaiver(serializers.Serializer):
    """The waiver of the caller's project that covers a flaw now."""

    id = serializers.IntegerField()
    until = serializers.DateTimeField()
    reason = serializers.CharField()


class AuditedVulnerability(Vulnerability):
    """A flaw in a package in use."""

    waiver = HonouredWaiver(allow_null=True)


class AuditResult(serializers.Serializer):
    """What is known of one package in use. `unknown` is what nothing could be held against: it is not clean."""

    purl = serializers.CharField(help_text="As it came, or as its ecosystem spells it")
    status = serializers.ChoiceField(choices=consulting.STATUSES)
    reason = serializers.CharField(allow_null=True, help_text="Why the status is unknown")
    here = serializers.ChoiceField(
        choices=standings.STATUSES, allow_null=True, help_text="What this portal says of it; null: not held here"
    )
    vulnerabilities = AuditedVulnerability(many=True, help_text="The gravest first")


class AuditSummary(SeverityCounts):
    """How many flaws of each severity that no waiver covers, and how many that one does."""

    waived = serializers.IntegerField(min_value=0)


class AuditedPackages(serializers.Serializer):
    """How many packages of each status."""

    total = serializers.IntegerField(min_value=0)
    vulnerable = serializers.IntegerField(min_value=0)
    unknown = serializers.IntegerField(min_value=0)
    waived = serializers.IntegerField(min_value=0)
    clean = serializers.IntegerField(min_value=0)


class NotJudged(serializers.Serializer):
    """Something in a lockfile that names no package of a registry."""

    line = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    reason = serializers.CharField()


class LicenseClash(serializers.Serializer):
    """A package whose license the work may not take in (no), or only depending on how it is used (check)."""

    purl = serializers.CharField()
    license = serializers.CharField()
    answer = serializers.ChoiceField(choices=("no", "check"))
    explanation = serializers.CharField(allow_blank=True)


class AuditedLicenses(serializers.Serializer):
    """What the licenses of the packages mean for the work that takes them in."""

    license = serializers.CharField(help_text="Of the work, as SPDX spells it where it can be read")
    source = serializers.CharField(help_text="Who says which licenses fit")  # type: ignore[assignment]  # the framework takes declared fields off the class
    fine = serializers.IntegerField(min_value=0)
    unknown = serializers.IntegerField(
        min_value=0, help_text="Not held here, without a license, or nothing that the source speaks of"
    )
    clashes = LicenseClash(many=True, help_text="The gravest first")


class Audit(serializers.Serializer):
    """One result for each package asked about, in their order; each (package, version) of a lockfile once."""

    results = AuditResult(many=True)
    summary = AuditSummary()
    packages = AuditedPackages()
    licenses = AuditedLicenses(allow_null=True, help_text="null where nobody names the license of the work")
    not_judged = NotJudged(many=True)
    project = serializers.CharField(allow_null=True, help_text="Whose waivers were honoured")
