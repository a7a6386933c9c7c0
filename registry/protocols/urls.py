"""What clients look for at the root of the host, wherever the registry itself stands."""

from django.urls import path

from registry.protocols.npm import paths  # noqa: F401  # registers the converters that the patterns name
from registry.protocols.trusting import AudienceDoor, ExchangeDoor, MintDoor, TrustDoor, TrustsDoor

urlpatterns = [
    path("-/npm/v1/oidc/token/exchange/package/<npm-name:name>", ExchangeDoor.as_view(), name="oidc-exchange"),
    path("_/oidc/audience", AudienceDoor.as_view(), name="oidc-audience"),
    path("_/oidc/mint-token", MintDoor.as_view(), name="oidc-mint-token"),
    path("pypi/-/package/<str:name>/trust", TrustsDoor.as_view(ecosystem="pypi"), name="pypi-trusts"),
    path("pypi/-/package/<str:name>/trust/<uuid:id>", TrustDoor.as_view(ecosystem="pypi"), name="pypi-trust"),
]
