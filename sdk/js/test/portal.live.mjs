// Against a living portal. From the environment: PORTAL, and the tokens ALICE (read, publish, licenses, sync), ROOT (admin)
// and ENDING (ends within a day); KEY is alice's private key file, ARCHIVES has tarballs that nobody published yet.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { CodeSync, CodeSyncError } from "../dist/esm/index.js";
import { sign, verify } from "../dist/esm/node.js";

const { PORTAL, ALICE, ROOT, ENDING, KEY, ARCHIVES } = process.env;
const as = (token, more = {}) => new CodeSync({ baseUrl: `${PORTAL}/v1`, token, ...more });
const [alice, root, nobody] = [as(ALICE), as(ROOT), as(undefined)];
const collect = async (rows) => {
  const all = [];
  for await (const row of rows) all.push(row);
  return all;
};

test("a signed archive is published, and its signature comes back as it was sent", async () => {
  const archive = fs.readFileSync(path.join(ARCHIVES, "tool-1.0.0.tgz"));
  const signature = await sign(archive, fs.readFileSync(KEY, "utf8"));
  const made = await alice.packages.publish(archive, { signature, tag: "next", category: "CLI", access: "private" });
  assert.deepEqual([made.name, made.version, made.size], ["@acme-utils/tool", "1.0.0", archive.length]);
  assert.match(made.validation.url, /tool/);
  const kept = await alice.packages.signature("@acme-utils/tool", "1.0.0");
  assert.equal(kept, signature);
  assert.equal((await verify(archive, kept, { trusted: [made.signature.fingerprint] })).fingerprint, made.signature.fingerprint);
  await assert.rejects(alice.packages.publish(archive, { signature }), { statusCode: 409 });
  await assert.rejects(alice.packages.publish(archive), (problem) => problem instanceof CodeSyncError && problem.statusCode === 422);
  await assert.rejects(nobody.packages.get("@acme-utils/tool"), { statusCode: 404 });
});

test("packages are walked page by page, and read in full", async () => {
  const all = await collect(nobody.packages.iterate({ limit: 2, ordering: "name", status: "approved" }));
  assert.deepEqual(all.map((row) => row.name), ["@acme-utils/core", "one", "three", "two"]);
  const core = await nobody.packages.get("@acme-utils/core", { depth: 1 });
  assert.equal(core.dependency_tree.name, "@acme-utils/core");
  assert.equal((await nobody.packages.resolve("@acme-utils/core", "^1.0")).version, "1.2.0");
  assert.equal((await nobody.packages.version("@acme-utils/core", "latest")).status, "approved");
  assert.equal(typeof (await nobody.packages.categories()).total, "number");
  assert.equal((await nobody.packages.sbom("@acme-utils/core", "1.2.0")).bomFormat, "CycloneDX");
  assert.equal((await nobody.packages.explain("pkg:npm/%40acme-utils/core@1.2.0")).answer, "allow");
});

test("files come whole, in part, and by name", async () => {
  const whole = new Uint8Array(await (await nobody.packages.download("@acme-utils/core", "1.2.0")).arrayBuffer());
  const { size } = await nobody.packages.version("@acme-utils/core", "1.2.0");
  assert.equal(whole.length, size);
  const part = await nobody.packages.download("@acme-utils/core", "1.2.0", { range: "bytes=2-9" });
  assert.deepEqual([part.status, new Uint8Array(await part.arrayBuffer())], [206, whole.slice(2, 10)]);
  const named = await nobody.packages.file("@acme-utils/core", "1.2.0", "core-1.2.0.tgz");
  assert.equal((await named.arrayBuffer()).byteLength, size);
});

test("a submission waits, a stranger's decision is refused with its reason", async () => {
  const made = await alice.packages.submit({ name: "left-pad", version: "1.3.0", ecosystem: "npm", note: "It pads." });
  assert.equal(made.status, "pending");
  await assert.rejects(alice.packages.approve("left-pad", "1.3.0"), { statusCode: 403 });
  assert.equal((await root.packages.reject("left-pad", "1.3.0", { reason: "Strings pad themselves." })).status, "rejected");
});

test("a version is unlisted and restored", async () => {
  assert.equal((await root.packages.unlist("two", "1.0.0")).status, "unlisted");
  assert.equal((await root.packages.restore("two", "1.0.0")).unlisted, false);
});

test("sold keys are made, walked, changed and asked", async () => {
  const made = [];
  for (const name of ["a", "b", "c"]) {
    made.push(await alice.licenses.create({ name, constraint: { type: "version", value: "<2.0.0" }, packages: ["@acme-utils/core"] }));
  }
  const walked = await collect(alice.licenses.iterate({ limit: 1 }));
  assert.deepEqual(walked.map((one) => one.name), ["a", "b", "c"]);
  const [one] = made;
  const question = { key: one.key, package: "@acme-utils/core", version: "1.2.0" };
  assert.equal((await nobody.licenses.validate(question)).code, "VALID");
  const { name, key, constraint, packages } = one;
  await alice.licenses.replace(one.id, { name, key, constraint, packages, suspended: true, meta: {} });
  assert.equal((await nobody.licenses.validate(question)).code, "SUSPENDED");
  assert.equal((await alice.licenses.get(one.id)).suspended, true);
  await alice.licenses.delete(one.id);
  await assert.rejects(alice.licenses.get(one.id), { statusCode: 404 });
  assert.equal((await nobody.licenses.facts("MIT OR Apache-2.0")).name, "MIT OR Apache-2.0");
});

test("products: made, filled, fetched in part, deleted", async () => {
  const token = await root.products.register(true);
  assert.deepEqual(await root.products.token(token), { token, admin: true });
  await root.products.create({ name: "firmware" });
  const sent = await root.products.upload("firmware", "v1", new Blob(["0123456789"]), "image.bin");
  assert.match(sent.checksum, /^sha256:/);
  const part = await root.products.download("firmware", "v1", { range: "bytes=0-3" });
  assert.equal(await part.text(), "0123");
  await root.products.grant("firmware", ALICE, { download: true });
  assert.deepEqual(await alice.products.list(), ["firmware"]);
  assert.equal((await root.products.retain("firmware", { keepVersions: 3, keepDays: null })).keepVersions, 3);
  await root.products.pin("firmware", "v1");
  await root.products.unpin("firmware", "v1");
  await root.products.revoke("firmware", ALICE);
  await root.products.deleteVersion("firmware", "v1");
  await root.products.delete("firmware");
  await root.products.prune(token);
  await assert.rejects(root.products.get("firmware"), { statusCode: 404 });
});

test("security: scans, audits, waivers, advisories", async () => {
  assert.equal((await nobody.security.scan("@acme-utils/core")).package, "@acme-utils/core");
  assert.equal((await root.security.rescan({ name: "one", version: "1.0.0" })).package, "one");
  const { results } = await nobody.security.audit({ purls: ["pkg:npm/%40acme-utils/core@1.2.0"] });
  assert.equal(results.length, 1);
  const waived = await root.security.waive({
    finding: "GHSA-1111-2222-3333", ecosystem: "npm", package: "one", versions: "*", project: "acme",
    reason: "Not reachable from here.", expires_at: new Date(Date.now() + 86_400_000).toISOString(),
  });
  assert.deepEqual((await collect(root.security.iterateWaivers())).map((one) => one.id), [waived.id]);
  assert.equal((await root.security.waiver(waived.id)).status, "live");
  await root.security.endWaiver(waived.id);
  assert.deepEqual(await collect(nobody.security.iterateAdvisories({ severity: "high" })), []);
  await assert.rejects(nobody.security.advisory("GHSA-none"), { statusCode: 404 });
});

test("who one is, what one holds, how the portal is", async () => {
  assert.equal((await alice.me()).username, "alice");
  await assert.rejects(nobody.me(), { statusCode: 401 });
  await assert.rejects(as("sk_live_nothing").me(), { statusCode: 401 });
  await assert.rejects(alice.me({ project: "elsewhere" }), { statusCode: 403 });
  assert.equal((await alice.signingKeys.list()).length, 1);
  await assert.rejects(alice.signingKeys.add({ name: "x", public_key: "ssh-ed25519 AAAA" }), { statusCode: 403 });
  const issued = await root.tokens.create({ name: "ci", expiresIn: 1, scopes: ["read"] });
  assert.ok((await root.tokens.list()).some((one) => one.id === issued.id));
  await root.tokens.revoke(issued.id);
  assert.ok(["ok", "down"].includes((await nobody.health()).status));
  assert.equal((await nobody.sync.status()).regions.length, 1);
  assert.deepEqual(await root.sync.list({ limit: 5 }), []);
  await assert.rejects(root.sync.start("nowhere"), CodeSyncError);
});

test("a token that ends soon is renewed once, whatever is under way, and its successor offered until it is kept", async () => {
  const [offered, problems] = [[], []];
  const onRotate = async (successor) => {
    offered.push(successor.token);
    if (offered.length === 1) throw new Error("The disk is full.");
  };
  const client = as(ENDING, { rotation: { onRotate, onError: (problem) => problems.push(problem.message) } });
  await Promise.all(Array.from({ length: 8 }, () => client.me()));
  assert.notEqual(client.token, ENDING);
  assert.deepEqual([problems, offered], [["The disk is full."], [client.token]]);

  await client.me();
  await client.me();
  assert.deepEqual(offered, [client.token, client.token]);
  assert.equal((await as(ENDING).me()).username, "alice", "the old one works until the overlap ends");
  assert.equal((await as(client.token).me()).credential.kind, "token");

  const late = as(ENDING, { rotation: { onRotate: () => assert.fail(), onError: (problem) => problems.push(problem.statusCode) } });
  await late.me();
  await late.me();
  assert.deepEqual(problems, ["The disk is full.", 409], "who comes second says so once, and works on");
});

test("a sold key or a fresh token is left as it is", async () => {
  const never = () => assert.fail("nothing to rotate");
  const client = as(ALICE, { rotation: { onRotate: never, onError: never } });
  await client.me();
  assert.equal(client.token, ALICE);
});
