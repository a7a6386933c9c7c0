"""What is committed of the SDK is what its sources make, covers the API, and promises nothing that is not there."""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest
from django.test import Client

from registry.demo import sdk
from tests import tools
from tests.sdk.js.conftest import SDK, run

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("sdk-js")]  # TypeScript is fetched once
# Routes that no client of the contract needs: they belong to one protocol or to the browser alone.
BEYOND: frozenset[tuple[str, str]] = frozenset()


@pytest.fixture(scope="module")
def description() -> dict:
    """The OpenAPI description, as it is served."""
    return Client().get("/api/schema", headers={"Accept": "application/json"}).json()


def files_below(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_is_committed_is_what_the_sources_make(compiler: Path, tmp_path: Path):
    run(tools.need("node"), "build.mjs", "--out", str(tmp_path / "dist"), "--modules", str(compiler))
    assert files_below(tmp_path / "dist") == files_below(SDK / "dist"), "run: npm run build, in sdk/js"


def test_its_own_tests_pass():
    run(
        tools.need("node"), "--test", "test/retrying.test.mjs", "test/signing.test.mjs",
        SSH_KEYGEN=tools.need("ssh-keygen"),
    )  # fmt: skip


def test_every_route_of_the_api_has_a_method(description: dict):
    asked = {tuple(one) for one in json.loads(run(tools.need("node"), "test/routes.mjs"))}
    missing = [
        (method.upper(), path)
        for path, methods in description["paths"].items()
        for method in methods
        if method in {"get", "put", "post", "delete", "patch"}
        and (method.upper(), path) not in BEYOND
        and not any(verb == method.upper() and pattern(path).fullmatch(at) for verb, at in asked)
    ]
    assert missing == [], "add a method in sdk/js/src, or say in BEYOND why the SDK has none"
    assert ("GET", "/health") in asked


def pattern(path: str) -> re.Pattern[str]:
    """The addresses of a route; a scoped name stands in one placeholder or in two."""
    places = re.sub(r"\\\{(\w+)\\\}", lambda found: "@s/n" if found[1] == "name" else "[^/]+", re.escape(path))
    return re.compile(places.replace("[^/]+/@s/n", "@s/n"))


def test_its_types_promise_no_field_that_the_api_lacks(description: dict):
    shapes = description["components"]["schemas"].values()
    known = [set(shape["properties"]) for shape in shapes if "properties" in shape]
    known += [{"pagination", "data"}, {"status", "detail"}, {"id", "modified"}]
    known.append({"status", "database", "cache", "broker", "storage", "worker", "mongo", "redis"})
    for name, body in re.findall(r"export interface (\w+) \{\n(.*?)\n\}", (SDK / "src/types.ts").read_text(), re.S):
        fields = set(re.findall(r"^  (\w+)\??:", body, re.M))
        assert any(fields <= shape for shape in known), f"{name} has a field that no shape of the API has"


def test_it_runs_in_browsers_and_needs_nothing():
    manifest = json.loads((SDK / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & set(manifest)
    assert not list(SDK.glob("*lock*"))
    reached, waiting = set(), ["index.js"]
    while waiting:
        name = waiting.pop()
        text = (SDK / "dist/esm" / name).read_text()
        imports = re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", text)
        assert all(one.startswith("./") for one in imports), (name, imports)
        assert not re.search(r"\b(Buffer|process|require)\b", re.sub(r"//.*|/\*.*?\*/", "", text, flags=re.S)), name
        waiting += [one[2:] for one in imports if one[2:] not in reached]
        reached.add(name)


def test_the_demo_packs_it_the_same_each_time_and_as_npm_does(tmp_path: Path):
    assert sdk.packed() == sdk.packed()
    listed = json.loads(run(tools.need("npm"), "pack", "--dry-run", "--json", "--ignore-scripts"))[0]["files"]
    with tarfile.open(fileobj=io.BytesIO(sdk.packed())) as tar:
        ours = {member.name.removeprefix("package/"): member.size for member in tar}
    assert ours == {file["path"]: file["size"] for file in listed}
