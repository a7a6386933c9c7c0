"""Tokens of the cast, a client for each, and a product of acme's that alice's token made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts import tokens
from accounts.models import User
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast


class Pipeline(ApiClient):
    """A client as build pipelines are: X-Api-Token, JSON, multipart; every answer must be as described."""

    def __init__(self, raw: str = "") -> None:
        super().__init__(base="", headers={"X-Api-Token": raw} if raw else {})
        self.raw = raw

    @property
    def digest(self) -> str:
        """What is kept of its token."""
        return tokens.digest_of(self.raw)

    def upload(
        self, product: str, version: str, content: bytes = b"bytes", filename: str = "tool.tar.gz", **more: Any
    ) -> Any:
        """POST /product/upload."""
        parts = {"product": product, "version": version, "file": SimpleUploadedFile(filename, content), **more}
        return self.generic("POST", "/product/upload", encode_multipart(BOUNDARY, parts), MULTIPART_CONTENT)

    def download(self, product: str, version: str, **headers: str) -> Any:
        """GET /product/download/…"""
        return self.get(f"/product/download/{product}/{version}", headers=headers)

    def grant(self, product: str, token: str, *words: str) -> Any:
        """PUT /product/modify/addToken."""
        permissions = {word: word in words for word in ("maintainer", "download", "upload", "delete")}
        return self.send(
            "PUT", "/product/modify/addToken", {"product": product, "token": token, "permissions": permissions}
        )


@dataclass
class Pipelines:
    """Who builds: alice, another token of hers, mallory of another project, root, and nobody."""

    alice: Pipeline
    second: Pipeline
    mallory: Pipeline
    root: Pipeline
    nobody: Pipeline


@pytest.fixture
def pipeline() -> Callable[..., Pipeline]:
    """`pipeline(person, *scopes)`: a client with a fresh token of theirs."""

    def make(person: User, *scopes: str, **more: Any) -> Pipeline:
        return Pipeline(builders.token(person, *scopes, **more))

    return make


@pytest.fixture
def pipelines(cast: Cast, pipeline: Callable[..., Pipeline]) -> Pipelines:
    """One client each."""
    return Pipelines(
        pipeline(cast.alice), pipeline(cast.alice), pipeline(cast.mallory), pipeline(cast.root, "admin"), Pipeline()
    )


@pytest.fixture
def tool(pipelines: Pipelines) -> str:
    """A product of acme's with version v1.0.0, made and uploaded by alice's token."""
    assert pipelines.alice.send("PUT", "/product/create", {"name": "tool"}).status_code == 201
    assert pipelines.alice.upload("tool", "v1.0.0", b"the first build").status_code == 201
    return "tool"
