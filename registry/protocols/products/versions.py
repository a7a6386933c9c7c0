"""Versions of products: files that come, leave and go."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import plain, route
from accounts.api.doors import Door
from registry import products, publishing
from registry.api.downloads import ANSWERS, RANGED, send
from registry.api.uploads import Form, received
from registry.errors import InvalidInput
from registry.protocols.products import shapes
from registry.protocols.products.tokens import TAG

TEXTS = ("product", "version")


class UploadDoor(Door):
    """`/product/upload`."""

    @route("Upload a version", TAG, {201: shapes.ProductUploaded}, 404, 409, 413, 415,
           request={"multipart/form-data": shapes.ProductUpload})  # fmt: skip
    def post(self, request: Request) -> Response:
        """A file of any content, as multipart/form-data of `product`, `version` and `file`. Needs `upload`.

        Put the file last: then what the token may not do is refused before the bytes are sent.
        """
        self.actor.need("publish")
        form = Form(
            TEXTS,
            limit=settings.MAX_PRODUCT_MB * 1024 * 1024,
            takes_raw=False,
            before_file=self._refuse_early,
        )
        with received(request._request, form) as upload:  # noqa: SLF001  # DRF's own stream would be parsed
            if missing := [name for name in TEXTS if not upload.texts.get(name)]:
                raise InvalidInput(f"Give {missing[0]}.", details={name: ["required"] for name in missing})
            assert upload.staged is not None  # `received` refuses a body without a file
            name, version = (upload.texts[text] for text in TEXTS)
            release = products.upload(name, version, upload.staged, upload.filename, self.actor)
            package = release.package
            row = shapes.version_row(package, release)
        return Response({"product": package.name, "version": release.version, **row}, status=201)

    def _refuse_early(self, texts: Mapping[str, str]) -> None:
        if "product" in texts:
            with publishing.refusals_audited("release.publish", f"generic:{texts['product']}", self.actor):
                products.find(texts["product"], self.actor, "upload")


class VersionDownloadDoor(Door):
    """`/product/download/{product}/{version}`."""

    @route("Download a version", TAG, ANSWERS, 404, 416, parameters=[RANGED])
    def get(self, request: Request, product: str, version: str) -> HttpResponseBase:
        """The file under its own name. Needs `download`."""
        download = products.open_version(product, version, self.actor)
        return send(request, download, self.actor)


class DeleteVersionDoor(Door):
    """`/product/delete/{product}/{version}`."""

    @route("Delete a version", TAG, {204: plain("Gone; its name stays used.")}, 404)
    def delete(self, request: Request, product: str, version: str) -> Response:
        """At once. Needs `delete`."""
        products.delete_version(product, version, self.actor)
        return Response(status=204)
