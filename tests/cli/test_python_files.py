"""Python versions of several files: packed and sent together, joined one by one, verified and downloaded."""

import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import Project
from registry.models import Release
from tests import builders, tools
from tests.builders import Cast, KeyPair
from tests.cli.conftest import Terminal, python_folder
from tests.cli.test_publishing import ready_to_publish

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
WHEEL, SDIST = "acme_greet-1.0.0-py3-none-any.whl", "acme_greet-1.0.0.tar.gz"


@pytest.fixture
def alice(cast: Cast, terminal_of: Callable[..., Terminal], pair: KeyPair) -> Terminal:
    """Alice's terminal; her project takes unsigned archives, and uv builds."""
    ready_to_publish(cast.alice, pair)
    Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
    terminal = terminal_of(cast.alice)
    programs = Path(tools.need("uv")).parent
    terminal.environment |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "UV_OFFLINE": "1"}
    terminal.environment["UV_CACHE_DIR"] = str(terminal.home / "cache")
    return terminal


def files(terminal: Terminal, name: str = "acme-greet") -> set[str]:
    """What installers find in the index."""
    page = urllib.request.Request(
        f"{terminal.environment['CODESYNC_URL']}/pypi/simple/{name}/?format=application/vnd.pypi.simple.v1%2Bjson"
    )
    with urllib.request.urlopen(page) as answer:
        return {one["filename"] for one in json.load(answer)["files"]}


def test_a_folder_goes_as_wheel_and_sdist_into_one_version(alice: Terminal, pair: KeyPair):
    folder = python_folder(alice.home, "acme-greet")
    done = alice.run("publish", "--no-sign", folder=folder)
    assert (done.code, done.out) == (0, "✓ approved acme-greet 1.0.0 is approved.\n"), done
    assert files(alice) == {WHEEL, SDIST}
    assert alice.run("publish", "--no-sign", folder=folder).code == 4  # what is built anew joins nothing

    assert WHEEL in alice.run("info", "acme-greet@1.0.0").out
    unsigned = alice.run("verify", "acme-greet")
    assert (unsigned.code, "nobody vouches for it" in unsigned.err) == (8, True), unsigned
    assert alice.run("download", "acme-greet", "--file", SDIST).code == 0
    assert (alice.home / SDIST).exists()
    wrong = alice.run("download", "acme-greet", "--file", "other.whl", "--quiet")
    assert (wrong.code, wrong.err.count("\n"), SDIST in wrong.err) == (2, 1, True), wrong


def test_a_signature_is_that_of_one_file_and_says_so(alice: Terminal, cast: Cast, pair: KeyPair):
    folder = python_folder(alice.home, "acme-greet")
    done = alice.run("publish", "--key", str(pair.path), str(folder))
    assert (done.code, f"Uploading {SDIST}, unsigned" in done.err) == (0, True), done
    half = alice.run("verify", "acme-greet", "--quiet")
    assert (half.code, f"nobody vouches for {SDIST}" in half.err, half.err.count("\n")) == (8, True, 1), half
    whole = alice.run("verify", "acme-greet", "--file", WHEEL)
    assert (whole.code, "Good" in whole.out) == (0, True), whole

    Project.objects.update(signature_policy=Project.SignaturePolicy.REQUIRED)
    strict = alice.run("publish", "--key", str(pair.path), str(python_folder(alice.home, "acme-strict")))
    assert (strict.code, "acme_strict-1.0.0.tar.gz stays here" in strict.err) == (0, True), strict
    assert alice.run("verify", "acme-strict").code == 0


def test_chosen_files_join_the_version_that_is_there(alice: Terminal):
    for name, body in ((WHEEL, builders.wheel("acme-greet")), (SDIST, builders.sdist("acme-greet"))):
        (alice.home / name).write_bytes(body)
    (alice.home / "acme_greet-1.0.1.tar.gz").write_bytes(builders.sdist("acme-greet", "1.0.1"))
    for others, said in (
        ((SDIST, "acme_greet-1.0.1.tar.gz"), "several versions"),
        ((SDIST, "README"), "is no Python file"),
    ):
        refused = alice.run("publish", "--no-sign", *others)
        assert (refused.code, refused.err.count("\n"), said in refused.err) == (2, 1, True), refused
    first = alice.run("publish", "--no-sign", "--no-wait", WHEEL)
    assert first.code == 0, first
    both = alice.run("publish", "--no-sign", "--no-wait", WHEEL, SDIST, "--json")
    assert (both.code, both.json["version"]) == (0, "1.0.0"), both
    assert Release.objects.get().artifacts.count() == 2
    again = alice.run("publish", "--no-sign", WHEEL, SDIST, "--quiet")
    assert (again.code, again.err.count("\n")) == (4, 1), again
