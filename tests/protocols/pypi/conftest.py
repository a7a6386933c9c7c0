"""The simple index as pip asks for it, and uploads as twine sends them."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Project
from registry import documents, tasks
from registry.models import Package, Release
from tests import builders
from tests.builders import Cast
from tests.standing import standing

PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"


def basic(raw: str) -> dict[str, str]:
    """The header of twine and of pip with a `.netrc`."""
    return {"Authorization": "Basic " + base64.b64encode(f"__token__:{raw}".encode()).decode()}


class Pip(Client):
    """A client as pip is, with a token as its password, or none."""

    def __init__(self, raw: str = "", base: str = "/pypi/") -> None:
        super().__init__(headers={"Accept": PIP, **(basic(raw) if raw else {})})
        self.base = base

    def ask(self, path: str, method: str = "get", **headers: str) -> Any:
        """A request below the base."""
        return getattr(self, method)(self.base + path, headers=headers)

    def upload(self, body: bytes, filename: str, **fields: Any) -> Any:
        """What `twine upload` sends of one file; a field that is given as None is left out."""
        stated = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "filetype": "sdist" if filename.endswith(".gz") else "bdist_wheel",
            "classifiers": ["Topic :: Utilities", "Programming Language :: Python :: 3"],
            "description": "x" * 40_000,
            "md5_digest": hashlib.md5(body, usedforsecurity=False).hexdigest(),
            "sha256_digest": hashlib.sha256(body).hexdigest(),
            "blake2_256_digest": hashlib.blake2b(body, digest_size=32).hexdigest(),
            **fields,
            "content": SimpleUploadedFile(filename, body),
        }
        return self.post(f"{self.base}legacy/", {name: one for name, one in stated.items() if one is not None})


def read(answer: Any) -> bytes:
    """The body, streamed or not."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.fixture
def nobody(db) -> Pip:
    """Pip without a token."""
    return Pip()


@pytest.fixture
def twine(cast: Cast) -> Pip:
    """Twine with a token of alice, whose project does not ask for signatures."""
    Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
    return Pip(builders.token(cast.alice, "read", "publish"))


@pytest.fixture
def utils(twine: Pip) -> Release:
    """`acme-utils` 1.2.0 as an sdist and a wheel, uploaded one by one, checked and approved."""
    return uploaded(twine)


@pytest.fixture(scope="module")
def standing_index(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], tuple[Cast, Release]]]:
    """The cast and `acme-utils`, once for a file that only reads."""

    def build() -> tuple[Cast, Release]:
        cast = builders.assemble_cast()
        Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
        return cast, uploaded(Pip(builders.token(cast.alice, "read", "publish")))

    with standing(django_db_blocker, tmp_path_factory.mktemp("index"), build) as enter:
        yield enter


def uploaded(twine: Pip) -> Release:
    """What `utils` is."""
    needs = {"requires_dist": ["six>=1"], "requires_python": ">=3.8"}
    wheel = builders.wheel("acme-utils", "1.2.0", **needs)
    assert twine.upload(wheel, "acme_utils-1.2.0-py3-none-any.whl").status_code == 200
    assert twine.upload(builders.sdist("acme-utils", "1.2.0", **needs), "acme_utils-1.2.0.tar.gz").status_code == 200
    tasks.drain()
    return Release.objects.select_related("package").get(status="approved")


@pytest.fixture
def secret(utils: Release) -> Release:
    """The same, for members of acme alone."""
    Package.objects.filter(pk=utils.package_id).update(visibility="private")
    utils.package.refresh_from_db()
    documents.rebuild(utils.package)
    return utils
