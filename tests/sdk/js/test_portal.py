"""The JavaScript SDK and a living portal: installed from it with npm, and speaking to it."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import ApiToken
from accounts.tokens import digest_of
from registry import tasks
from registry.demo import sdk
from registry.mirrors.models import Mirror
from registry.models import Release
from tests import builders, tools
from tests.builders import Cast, KeyPair
from tests.sdk.js.conftest import SDK, run

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("sdk-js")]  # TypeScript is fetched once
# The source document's example, as it is written there.
EXAMPLE = """const tarball = fs.readFileSync('dist/package-1.2.0.tgz'); \
const res = await fetch('https://api.codesync.de/v1/packages/publish', { method: 'POST', \
headers: { 'Authorization': `Bearer ${API_KEY}` }, body: tarball });"""
CONSUMER = """
import { CodeSync, CodeSyncError, type IssuedToken, type PackageRow, type Published } from "@codesync/sdk";
import { sign, verify } from "@codesync/sdk/node";

const rotation = { onRotate: async (next: IssuedToken) => void next.token };
const portal = new CodeSync({ baseUrl: "https://portal.example", rotation });
export async function main(archive: Uint8Array, key: string): Promise<Published> {
  const names: string[] = [];
  for await (const row of portal.packages.iterate({ ecosystem: "npm" })) names.push((row satisfies PackageRow).name);
  // @ts-expect-error no such ecosystem
  await portal.packages.list({ ecosystem: "cargo" });
  // @ts-expect-error a rejection needs its reason
  await portal.packages.reject("a", "1.0.0", {});
  const published = await portal.packages.publish(archive, { signature: await sign(archive, key) });
  const found = await verify(archive, await portal.packages.signature("a", "1.0.0"), { trusted: [] });
  const status: "pending" | "approved" | "rejected" | "quarantined" = published.status;
  console.log(status, found.fingerprint.length, new CodeSyncError({ error: "e", statusCode: 1 }).details["x"]);
  return published;
}
"""


@pytest.fixture
def portal(live_server, settings, cast: Cast, tmp_path: Path) -> str:
    """A living portal's address; the license policy, which tests that drive a server empty, is left out."""
    tools.need("node")
    ours = ["registry.gates.checks_pass", "registry.gates.review_policy"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ours}
    Mirror.objects.get_or_create(region="frankfurt", defaults={"city": "Frankfurt", "country": "DE"})
    return live_server.url


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    """Alice's key."""
    return builders.key_pair(tmp_path)


def ending_token(cast: Cast) -> str:
    """A token of alice's that lived for a day and ends in four hours."""
    raw = builders.token(cast.alice, "read", name="ending")
    now = timezone.now()
    ApiToken.objects.filter(digest=digest_of(raw)).update(
        created_at=now - timedelta(hours=20), expires_at=now + timedelta(hours=4)
    )
    return raw


def test_it_speaks_to_the_portal(portal: str, cast: Cast, pair: KeyPair, tmp_path: Path):
    for name, version in (("@acme-utils/core", "1.2.0"), ("one", "1.0.0"), ("two", "1.0.0"), ("three", "1.0.0")):
        builders.published(cast.alice, pair, builders.npm_tarball(name, version))
    (tmp_path / "tool-1.0.0.tgz").write_bytes(builders.npm_tarball("@acme-utils/tool", "1.0.0"))
    run(
        tools.need("node"), "--test", "test/portal.live.mjs",
        PORTAL=portal,
        ALICE=builders.token(cast.alice, "read", "publish", "licenses"),
        ROOT=builders.token(cast.root, "read", "publish", "review", "sync", "licenses", "admin"),
        ENDING=ending_token(cast),
        KEY=str(pair.path),
        ARCHIVES=str(tmp_path),
    )  # fmt: skip


def test_the_example_of_the_documentation_publishes_what_carries_its_signature(
    portal: str, cast: Cast, pair: KeyPair, tmp_path: Path
):
    archive = builders.npm_tarball("@acme-utils/core", "1.2.0")
    builders.registered_key(cast.alice, pair)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/package-1.2.0.tgz").write_bytes(archive + pair.sign(archive).encode())
    written = EXAMPLE.replace("https://api.codesync.de", portal)
    script = f"import fs from 'node:fs'; const API_KEY = process.env.API_KEY;\n{written}\nconsole.log(res.status);"
    (tmp_path / "publish.mjs").write_text(script)

    said = run(tools.need("node"), "publish.mjs", folder=tmp_path, API_KEY=builders.token(cast.alice, "publish"))
    assert said == "201\n"
    tasks.drain()
    release = Release.objects.get(package__name="@acme-utils/core")
    assert (release.status, release.artifacts.get().signer) == ("approved", "alice")


def test_npm_installs_it_from_the_portal_and_typescript_takes_its_types(
    portal: str, cast: Cast, pair: KeyPair, tmp_path: Path, compiler: Path
):
    builders.published(cast.alice, pair, sdk.packed())
    npm, node, folder = tools.need("npm"), tools.need("node"), tmp_path / "app"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "app", "type": "module", "private": true}')
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", f"--cache={tmp_path / 'cache'}")
    run(npm, "i", "@codesync/sdk", f"--registry={portal}/npm/", *quiet, folder=folder)
    installed = folder / "node_modules/@codesync/sdk"
    version = (installed / "package.json").read_bytes()
    assert version == (SDK / "package.json").read_bytes()

    shutil.rmtree(folder / "node_modules")
    file = f"{portal}/v1/packages/@codesync/sdk/versions/1.0.0/files/sdk-1.0.0.tgz"
    run(npm, "i", file, "--registry=http://127.0.0.1:1/", *quiet, folder=folder)
    (folder / "both.cjs").write_text(
        "const { CodeSync, CodeSyncError } = require('@codesync/sdk'); require('@codesync/sdk/node');\n"
        "import('@codesync/sdk').then(async (esm) => {\n"
        "  await import('@codesync/sdk/node');\n"
        "  for (const one of [CodeSync, esm.CodeSync]) {\n"
        f"    const rows = await new one({{ baseUrl: '{portal}' }}).packages.list();\n"
        "    console.log(rows.packages[0].name, new CodeSyncError({ error: 'x', statusCode: 1 }) instanceof Error);\n"
        "  }\n});\n"
    )
    assert run(node, "both.cjs", folder=folder) == "@codesync/sdk true\n" * 2

    (folder / "consumer.mts").write_text(CONSUMER)
    (folder / "consumer.cts").write_text(CONSUMER)
    options = {
        "noEmit": True,
        "strict": True,
        "skipLibCheck": True,
        "target": "ES2022",
        "module": "node16",
        "types": [],
    }
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": {**options, "lib": ["ES2022", "DOM"]}}))
    run(node, str(compiler / "typescript/bin/tsc"), folder=folder)
