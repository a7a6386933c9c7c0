"""What the routes of products read and answer; names and shapes are those of the protocol."""

from typing import Any

from rest_framework import serializers

from accounts.api.strict import Flag, StrictSerializer, Text, Whole
from registry import retaining
from registry.grants import Permissions
from registry.models import Package, Product, ProductGrant, Release

DAYS = "Versions younger than so many days stay; null for no such rule"
COUNT = "So many of the newest versions stay; null for no such rule"


class TokenRegistration(StrictSerializer):
    """A token to be registered."""

    admin = Flag(default=False, help_text="Whether it may do everything; else it reads and publishes")


class TokenFacts(serializers.Serializer):
    """What is told of a token."""

    token = serializers.CharField(help_text="As it was given in the address")
    admin = serializers.BooleanField()


class NewProduct(StrictSerializer):
    """A product to be created."""

    name = Text(max_length=128)
    keepVersions = Whole(  # noqa: N815  # as the other fields of the API are spelt
        min_value=1, max_value=retaining.MOST, required=False, allow_null=True, help_text=COUNT
    )
    keepDays = Whole(  # noqa: N815  # as the other fields of the API are spelt
        min_value=1, max_value=retaining.MOST, required=False, allow_null=True, help_text=DAYS
    )


class ProductName(serializers.Serializer):
    """The name of a product."""

    name = serializers.CharField()


class ProductPermissions(StrictSerializer):
    """What a token may do with a product."""

    maintainer = Flag(default=False)
    download = Flag(default=False)
    upload = Flag(default=False)
    delete = Flag(default=False)


class TokenGrant(StrictSerializer):
    """`addToken`: from now on the token may do exactly this."""

    product = Text(max_length=128)
    token = Text(max_length=128, help_text="The raw token, or its digest")
    permissions = ProductPermissions()


class TokenOfProduct(StrictSerializer):
    """`deleteToken`."""

    product = Text(max_length=128)
    token = Text(max_length=128, help_text="The raw token, or its digest")


class VersionOfProduct(StrictSerializer):
    """`deleteVersion`, `pinVersion` and `unpinVersion`."""

    product = Text(max_length=128)
    version = Text(max_length=128)


class RetentionRule(StrictSerializer):
    """`setRetention`: which versions stay by themselves."""

    product = Text(max_length=128)
    keepVersions = Whole(  # noqa: N815  # as the other fields of the API are spelt
        min_value=1, max_value=retaining.MOST, allow_null=True, help_text=COUNT
    )
    keepDays = Whole(  # noqa: N815  # as the other fields of the API are spelt
        min_value=1, max_value=retaining.MOST, allow_null=True, help_text=DAYS
    )


class Retained(serializers.Serializer):
    """The rule as it stands, and what would go by it if it were applied now."""

    keepVersions = serializers.IntegerField(allow_null=True)  # noqa: N815  # as the other fields of the API are spelt
    keepDays = serializers.IntegerField(allow_null=True)  # noqa: N815  # as the other fields of the API are spelt
    wouldGo = serializers.ListField(child=serializers.CharField())  # noqa: N815  # likewise


class GrantRow(serializers.Serializer):
    """What one token was granted."""

    maintainer = serializers.BooleanField()
    download = serializers.BooleanField()
    upload = serializers.BooleanField()
    delete = serializers.BooleanField()


class ProductVersion(serializers.Serializer):
    """Where a version's file stands below the products, and what it hashes to."""

    path = serializers.CharField(help_text="`./products/{product}/{version}/{file name}`")
    checksum = serializers.CharField(help_text="`sha256:` and 64 hexadecimal digits")


class ProductFacts(serializers.Serializer):
    """A product: what each token may do, by the token's SHA-256, and its versions."""

    name = serializers.CharField()
    tokens = serializers.DictField(child=GrantRow())
    versions = serializers.DictField(child=ProductVersion())


class ProductUpload(serializers.Serializer):
    """A version of a product, as multipart/form-data."""

    product = serializers.CharField(max_length=128)
    version = serializers.CharField(max_length=128)
    file = serializers.FileField()


class ProductUploaded(ProductVersion):
    """A version that stands."""

    product = serializers.CharField()
    version = serializers.CharField()


class VersionNamed(serializers.Serializer):
    """The version that something was done to."""

    product = serializers.CharField()
    version = serializers.CharField()


def product_facts(package: Package, rows: list[ProductGrant], releases: list[Release]) -> dict[str, Any]:
    """A product."""
    return {
        "name": package.name,
        "tokens": {row.token.digest: Permissions.of_row(row)._asdict() for row in rows},
        "versions": {release.version: version_row(package, release) for release in releases},
    }


def version_row(package: Package, release: Release) -> dict[str, str]:
    """A version. The path is a name to show: bytes lie under their digest."""
    filename = next((one.filename for one in release.artifacts.all()), "")
    path = f"./products/{package.name}/{release.version}/{filename}"
    return {"path": path, "checksum": f"sha256:{release.sha256}"}


def retention_row(product: Product) -> dict[str, Any]:
    """The rule of a product, and what would go by it now."""
    going = [release.version for release in retaining.going(product)]
    return {"keepVersions": product.keep_versions, "keepDays": product.keep_days, "wouldGo": going}
