"""What the routes of the registry read and answer (contract section 3)."""

from typing import Any

from rest_framework import serializers

from accounts.api.strict import Choice, Email, Flag, StrictSerializer, Text
from registry.models import Check, Package, Release
from registry.models.packages import CATEGORIES, Ecosystem

ECOSYSTEMS = Ecosystem.values
STATUSES = Release.Status.values
CHECKS = Check.Status.values
ANSWERS = ["allow", "hold", "deny"]


class Submission(StrictSerializer):
    """A third-party version asked for."""

    name = Text(max_length=214)
    version = Text(max_length=128)
    ecosystem = Choice(choices=ECOSYSTEMS)
    license = Text(max_length=255, required=False, allow_blank=True)
    description = Text(max_length=10_000, required=False, allow_blank=True)
    homepage = Text(max_length=2_000, required=False, allow_blank=True)
    repository = Text(max_length=2_000, required=False, allow_blank=True)
    category = Choice(choices=CATEGORIES, required=False)
    keywords = serializers.ListField(child=Text(max_length=64), max_length=50, required=False)
    submitted_by = Email(max_length=254, required=False, help_text="Defaults to the caller's address")
    note = Text(max_length=4_000, required=False, allow_blank=True, help_text="Why it is needed")


class Submitted(serializers.Serializer):
    """A submission that waits for its checks and a decision."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.CharField()
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    status = serializers.ChoiceField(choices=STATUSES)
    submitted_by = serializers.CharField(allow_null=True)
    submitted_at = serializers.DateTimeField()
    queued_scan = serializers.BooleanField()
    url = serializers.CharField()


class Approval(StrictSerializer):
    """An approval; over a failed check it needs `override` and a reason."""

    reason = Text(max_length=4_000, required=False, allow_blank=True)
    override = Flag(required=False)
    sha256 = Text(max_length=64, required=False, help_text="The digest that was reviewed; another one is 409")


class Rejection(StrictSerializer):
    """A rejection, with the reason that the submitter will read."""

    reason = Text(max_length=4_000)
    sha256 = Text(max_length=64, required=False, help_text="The digest that was reviewed; another one is 409")


class PackageRow(serializers.Serializer):
    """A package in a list."""

    name = serializers.CharField()
    version = serializers.CharField(help_text="The latest; empty when every version is unlisted or removed")
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    status = serializers.CharField()
    license = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    keywords = serializers.ListField(child=serializers.CharField())
    downloads = serializers.IntegerField(min_value=0)
    updated_at = serializers.DateTimeField()


class Paged(serializers.Serializer):
    """What a page of a list says of itself; see `paging.Paging.figures`."""

    total = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(min_value=1, max_value=100)
    offset = serializers.IntegerField(min_value=0)
    page = serializers.IntegerField(min_value=1)
    pages = serializers.IntegerField(min_value=0)


class Packages(Paged):
    """One page of packages."""

    packages = PackageRow(many=True)


class CategoryCount(serializers.Serializer):
    """How many packages a category holds."""

    category = serializers.CharField()
    count = serializers.IntegerField(min_value=0)


class Categories(serializers.Serializer):
    """Every category with its count."""

    categories = CategoryCount(many=True)
    total = serializers.IntegerField(min_value=0)


class Signature(serializers.Serializer):
    """Who signed a file."""

    format = serializers.CharField()
    fingerprint = serializers.CharField()
    signer = serializers.CharField()


class ScanCounts(serializers.Serializer):
    """The vulnerability check in short."""

    status = serializers.ChoiceField(choices=CHECKS)
    critical = serializers.IntegerField()
    high = serializers.IntegerField()
    medium = serializers.IntegerField()
    low = serializers.IntegerField()
    unknown = serializers.IntegerField()


class VersionRow(serializers.Serializer):
    """One version in the detail of its package."""

    version = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    origin = serializers.ChoiceField(choices=Release.Origin.values)
    published_at = serializers.DateTimeField()
    license = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    integrity = serializers.CharField(allow_null=True, help_text="SRI, SHA-512")
    sha256 = serializers.CharField(allow_null=True)
    shasum = serializers.CharField(allow_null=True, help_text="SHA-1, as npm writes it")
    dependencies = serializers.DictField(child=serializers.CharField(), help_text="Name to range")
    unlisted = serializers.BooleanField()
    purge_at = serializers.DateTimeField(allow_null=True)
    deprecated = serializers.CharField(allow_null=True)
    signature = Signature(allow_null=True)
    scan = ScanCounts()
    download_url = serializers.CharField(allow_null=True)


class Maintainer(serializers.Serializer):
    """A person who may publish."""

    username = serializers.CharField()


class TreeNode(serializers.Serializer):
    """A package in a dependency tree, and what it brings along."""

    name = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    range = serializers.CharField()
    status = serializers.CharField(allow_null=True)
    circular = serializers.BooleanField(required=False)
    unresolved = serializers.BooleanField(required=False)
    repeated = serializers.BooleanField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """The fields, and the same shape again below."""
        return {**super().get_fields(), "dependencies": TreeNode(many=True)}


class PackageDetail(PackageRow):
    """A whole package."""

    scope = serializers.CharField(allow_null=True)
    homepage = serializers.CharField(allow_null=True)
    repository = serializers.CharField(allow_null=True)
    visibility = serializers.ChoiceField(choices=Package.Visibility.values)
    project = serializers.CharField()
    maintainers = Maintainer(many=True)
    submitted_by = serializers.CharField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    dist_tags = serializers.DictField(child=serializers.CharField())
    versions = VersionRow(many=True)
    dependencies = serializers.DictField(child=serializers.CharField())
    also_in = serializers.ListField(child=serializers.ChoiceField(choices=ECOSYSTEMS))
    dependency_tree = TreeNode(required=False, allow_null=True)


class CheckRow(serializers.Serializer):
    """One automated verdict."""

    name = serializers.CharField()
    status = serializers.ChoiceField(choices=CHECKS)
    summary = serializers.CharField()
    details = serializers.DictField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)


class ArtifactRow(serializers.Serializer):
    """A file of a version."""

    filename = serializers.CharField()
    kind = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    sha512 = serializers.CharField()
    uploaded_at = serializers.DateTimeField()


class DecisionRow(serializers.Serializer):
    """Who decided, when, on which digest and why."""

    by = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    sha256 = serializers.CharField()
    override = serializers.BooleanField()


class Version(VersionRow):
    """One version with its checks, files and decision."""

    name = serializers.CharField()
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    project = serializers.CharField()
    submitted_by = serializers.CharField(allow_null=True)
    submitted_at = serializers.DateTimeField()
    unlisted_at = serializers.DateTimeField(allow_null=True)
    held_because = serializers.CharField(allow_null=True)
    checks = CheckRow(many=True)
    artifacts = ArtifactRow(many=True)
    decision = DecisionRow(allow_null=True)


class Resolution(serializers.Serializer):
    """What an installer would choose."""

    name = serializers.CharField()
    range = serializers.CharField()
    version = serializers.CharField()
    candidates = serializers.IntegerField(min_value=1)


class Validation(serializers.Serializer):
    """Where to watch the checks."""

    status = serializers.CharField()
    url = serializers.CharField()


class Edge(serializers.Serializer):
    """Where the version will stand, and how soon."""

    region = serializers.CharField()
    deadline_seconds = serializers.IntegerField()


class Published(serializers.Serializer):
    """A version that was accepted and is being checked."""

    name = serializers.CharField()
    version = serializers.CharField()
    ecosystem = serializers.ChoiceField(choices=ECOSYSTEMS)
    status = serializers.ChoiceField(choices=STATUSES)
    integrity = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    signature = Signature(allow_null=True)
    validation = Validation()
    edge = Edge()


class MultipartUpload(serializers.Serializer):
    """An upload as multipart/form-data."""

    file = serializers.FileField()
    signature = serializers.CharField(required=False, help_text="The armored signature")
    tag = serializers.CharField(required=False)
    access = serializers.ChoiceField(choices=["public", "private"], required=False)
    category = serializers.ChoiceField(choices=CATEGORIES, required=False)


class Unlisted(serializers.Serializer):
    """A version that is gone from lists, and when its file goes."""

    name = serializers.CharField()
    version = serializers.CharField()
    status = serializers.ChoiceField(choices=["unlisted"])
    unlisted_at = serializers.DateTimeField()
    purge_at = serializers.DateTimeField()


class VerdictRow(serializers.Serializer):
    """What one gate says."""

    gate = serializers.CharField()
    answer = serializers.ChoiceField(choices=ANSWERS)
    code = serializers.CharField()
    reason = serializers.CharField()
    details_url = serializers.CharField(allow_blank=True)


class Explanation(serializers.Serializer):
    """May I have this, and why not?"""

    purl = serializers.CharField()
    answer = serializers.ChoiceField(choices=ANSWERS)
    verdicts = VerdictRow(many=True)
    decision = DecisionRow(allow_null=True)
    remedies = serializers.ListField(child=serializers.CharField())
