"""Products: created, looked at, deleted, and changed by an action that the address names."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import plain, route
from accounts.api.doors import Door
from accounts.errors import InvalidInput, Unauthenticated
from registry import products, retaining
from registry.grants import Permissions
from registry.protocols.products import shapes
from registry.protocols.products.tokens import TAG

NAMES = OpenApiResponse(serializers.ListSerializer(child=serializers.CharField()), description="Names of products.")


class AccessDoor(Door):
    """`/product/access`."""

    @route("The products that the token may do something with", TAG, {200: NAMES})
    def get(self, request: Request) -> Response:
        """By name; of an admin, and of a person at the portal, all that they see."""
        return Response(products.names(self.actor))


class CreateDoor(Door):
    """`/product/create`."""

    @route("Create a product", TAG, {201: shapes.ProductName}, 409, 413, 415, request=shapes.NewProduct)
    def put(self, request: Request) -> Response:
        """A private package of ecosystem `generic` in the caller's project; the token gets all four permissions."""
        self.actor.need("publish")
        wanted = shapes.NewProduct.read(request.data)
        rule = products.Rule(wanted.get("keepVersions"), wanted.get("keepDays"))
        package = products.create(wanted["name"], self.actor, rule)
        return Response({"name": package.name}, status=201)


class FetchDoor(Door):
    """`/product/fetch/{product}`."""

    @route("A product with its tokens and versions", TAG, {200: shapes.ProductFacts}, 404)
    def get(self, request: Request, product: str) -> Response:
        """For whoever may do anything with it. Tokens stand by their SHA-256, since nothing else is kept.

        The holder of a license key is told the versions that it covers, and of no tokens.
        """
        package = products.find(product, self.actor)
        granted, versions = products.granted(package, self.actor), products.versions(package, self.actor)
        return Response(shapes.product_facts(package, granted, versions))


class DeleteDoor(Door):
    """`/product/delete/{product}`."""

    @route("Delete a product", TAG, {204: plain("Gone, with every version; their names stay used.")}, 404)
    def delete(self, request: Request, product: str) -> Response:
        """For its maintainers and admins."""
        products.delete(product, self.actor)
        return Response(status=204)


def _one_of(name: str, *choices: type[serializers.Serializer]) -> PolymorphicProxySerializer:
    return PolymorphicProxySerializer(component_name=name, serializers=list(choices), resource_type_field_name=None)


PUT = _one_of("ChangeOfProduct", shapes.TokenGrant, shapes.RetentionRule, shapes.VersionOfProduct)
DELETE = _one_of("RemovalFromProduct", shapes.VersionOfProduct, shapes.TokenOfProduct)
CHANGED = _one_of("ChangedProduct", shapes.GrantRow, shapes.Retained, shapes.VersionNamed)


class ModifyDoor(Door):
    """`/product/modify/{action}`: `addToken`, `deleteVersion`, `deleteToken`, and words for retention."""

    @route("Grant permissions, or keep versions", TAG, {201: shapes.GrantRow, 200: CHANGED}, 404, 405, 409, 413, 415,
           request=PUT)  # fmt: skip
    def put(self, request: Request, action: str) -> Response:
        """`addToken` (201) sets what a token may do; `setRetention` and `pinVersion` (200) say what is kept.

        For the product's maintainers and admins.
        """
        return self._act(action)

    @route("Take a version or a token's permissions away", TAG,
           {200: shapes.VersionNamed, 204: plain("The token may do nothing with it any more.")}, 404, 405, 413, 415,
           request=DELETE)  # fmt: skip
    def delete(self, request: Request, action: str) -> Response:
        """`deleteVersion` (200) needs `delete`; `deleteToken` (204) and `unpinVersion` (200) are for maintainers."""
        return self._act(action)

    def _act(self, action: str) -> Response:
        if self.actor.is_anonymous:
            raise Unauthenticated("Send an API token in the header X-Api-Token.")
        if action not in ACTIONS:
            known = ", ".join(ACTIONS)
            raise InvalidInput(f"Unknown action. Choose one of {known}.", details={"action": [f"one of {known}"]})
        method, act = ACTIONS[action]
        if self.request.method != method:
            raise MethodNotAllowed(str(self.request.method))
        return act(self)

    def add_token(self) -> Response:
        """Set what a token may do."""
        wanted = shapes.TokenGrant.read(self.request.data)
        permissions = Permissions(**wanted["permissions"])
        row = products.grant(wanted["product"], wanted["token"], permissions, self.actor)
        return Response(Permissions.of_row(row)._asdict(), status=201)

    def delete_token(self) -> Response:
        """Take everything from a token."""
        wanted = shapes.TokenOfProduct.read(self.request.data)
        products.revoke(wanted["product"], wanted["token"], self.actor)
        return Response(status=204)

    def delete_version(self) -> Response:
        """Delete a version."""
        wanted = shapes.VersionOfProduct.read(self.request.data)
        products.delete_version(wanted["product"], wanted["version"], self.actor)
        return Response(wanted)

    def set_retention(self) -> Response:
        """Say which versions stay by themselves."""
        wanted = shapes.RetentionRule.read(self.request.data)
        package = products.find(wanted["product"], self.actor, "maintainer")
        rule = retaining.set_rule(package, wanted["keepVersions"], wanted["keepDays"], self.actor)
        return Response(shapes.retention_row(rule))

    def pin_version(self) -> Response:
        """Keep a version, whatever retention says."""
        return self._pin(retaining.pin)

    def unpin_version(self) -> Response:
        """Leave a version to retention."""
        return self._pin(retaining.unpin)

    def _pin(self, act: Callable[..., Any]) -> Response:
        wanted = shapes.VersionOfProduct.read(self.request.data)
        package = products.find(wanted["product"], self.actor, "maintainer")
        act(products.find_version(package, wanted["version"]), self.actor)
        return Response(wanted)


ACTIONS: dict[str, tuple[str, Callable[[ModifyDoor], Response]]] = {
    "addToken": ("PUT", ModifyDoor.add_token),
    "deleteVersion": ("DELETE", ModifyDoor.delete_version),
    "deleteToken": ("DELETE", ModifyDoor.delete_token),
    "setRetention": ("PUT", ModifyDoor.set_retention),
    "pinVersion": ("PUT", ModifyDoor.pin_version),
    "unpinVersion": ("DELETE", ModifyDoor.unpin_version),
}
