"""What the routes of licensing answer."""

from rest_framework import serializers

from licensing.models import Category, LicensePolicy


class CompatibilityAnswer(serializers.Serializer):
    """May a work under `outbound` take in code under `inbound`?"""

    word = serializers.ChoiceField(
        choices=["yes", "check", "unknown", "no"], help_text="check: it depends, somebody must look"
    )
    outbound = serializers.CharField()
    inbound = serializers.CharField()
    explanation = serializers.CharField(allow_blank=True, help_text="The matrix’s own words, where it has some")


class Pair(serializers.Serializer):
    """How two licenses get along, in both directions."""

    goes_into_it = CompatibilityAnswer(help_text="Code under this license, in a work under the other")
    takes_it_in = CompatibilityAnswer(help_text="Code under the other license, in a work under this one")

    def get_fields(self) -> dict[str, serializers.Field]:
        """`with` is a word of Python’s own, so it is named here."""
        return {"with": serializers.CharField(), **super().get_fields()}


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
    may_take_in = serializers.ListField(
        child=serializers.CharField(), help_text="Licenses whose code a work under this one may take in"
    )
    may_not_take_in = serializers.ListField(
        child=serializers.CharField(), help_text="Licenses whose code a work under this one may not take in"
    )
    to_be_checked = serializers.ListField(
        child=serializers.CharField(), help_text="Licenses whose code it may take in or not, depending on how"
    )
    compatibility_source = serializers.CharField(
        allow_null=True, help_text="Who says so, and when; null where nobody does: never read that as a yes"
    )
    obligations = serializers.ListField(
        child=serializers.CharField(), help_text="What must be done in return, by tag (include-copyright, …)"
    )
    obligations_explained = serializers.ListField(child=serializers.CharField(), help_text="What the tags mean")
    obligations_source = serializers.CharField(
        allow_null=True, help_text="Who says so; null where nobody does: never read that as “nothing”"
    )
    requires_attribution = serializers.BooleanField(allow_null=True, help_text="null where it is not known")
    allows_commercial = serializers.BooleanField(
        allow_null=True, help_text="false where it is restricted, null where it is not known"
    )
    url = serializers.CharField(allow_null=True)
    osi_approved = serializers.BooleanField()
    fsf_libre = serializers.BooleanField(allow_null=True, help_text="null where the FSF says nothing")
    deprecated = serializers.BooleanField()
    successor = serializers.CharField(allow_null=True, help_text="What to write in place of a deprecated id")
    candidates = serializers.ListField(
        child=serializers.CharField(),
        help_text="What a phrase like “BSD” may mean; then all else holds for every one of these",
    )
    pair = Pair(allow_null=True, help_text="Only with `?with=`")
