"""What the routes of licensing answer."""

from rest_framework import serializers

from licensing.models import Category, LicensePolicy


class LicenseFacts(serializers.Serializer):
    """What is known of a license or an expression, and what this instance's policy says to it."""

    name = serializers.CharField(help_text="The SPDX id, or the expression in its canonical spelling")
    full_name = serializers.CharField()
    status = serializers.ChoiceField(choices=LicensePolicy.Status.values, help_text="This instance's policy")
    category = serializers.ChoiceField(choices=Category.values)
    compatible_with = serializers.ListField(
        child=serializers.CharField(), help_text="Licenses of works that may take in code under this one"
    )
    incompatible_with = serializers.ListField(
        child=serializers.CharField(), help_text="Licenses of works that may not"
    )
    compatibility_source = serializers.CharField(
        allow_null=True, help_text="Who says so, and when; null where nobody does: never read that as a yes"
    )
    requires_attribution = serializers.BooleanField(allow_null=True, help_text="null where it is not known")
    allows_commercial = serializers.BooleanField(
        allow_null=True, help_text="false where it is restricted, null where it is not known"
    )
    url = serializers.CharField(allow_null=True)
    osi_approved = serializers.BooleanField()
    deprecated = serializers.BooleanField()
