// Retries against a server that fails as it is told. Waits are asked for, not guessed: the jitter is given.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { CodeSync, CodeSyncError } from "../dist/esm/index.js";
import { RETRIES, waitAfter } from "../dist/esm/retrying.js";

let server, baseUrl, answers, seen, last;

before(async () => {
  server = http.createServer((request, response) => {
    let received = "";
    request.on("data", (chunk) => (received += chunk)).on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      last = { body: received, headers: request.headers };
      const next = answers.shift() ?? { status: 200, body: "{}" };
      if (next === "broken") return response.socket.destroy();
      if (next === "cut") {
        response.writeHead(200, { "Content-Length": 100 });
        return response.write("{", () => response.socket.destroy());
      }
      if (next === "silent") return;
      if (next === "endless") return response.writeHead(200).write("some");
      response.writeHead(next.status, next.headers).end(next.body ?? "");
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  baseUrl = `http://127.0.0.1:${server.address().port}`;
});
beforeEach(() => ([answers, seen] = [[], []]));
after(() => {
  server.closeAllConnections();
  server.close();
});

const client = (retries = {}, more = {}) => new CodeSync({ baseUrl, retries: { base: 1, ...retries }, ...more });
const refused = (status, error, headers = {}) => ({
  status, headers, body: JSON.stringify({ error, statusCode: status, details: { name: ["why"] } }),
});

test("full jitter: any wait from nothing to a bound that doubles and ends at the cap", () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => waitAfter(n, { ...RETRIES, attempts: 9, random: () => 1 }));
  assert.deepEqual(bounds, [250, 500, 1000, 2000, 4000, 8000, 10000, 10000]);
  assert.equal(waitAfter(3, { ...RETRIES, random: () => 0 }), 0);
  assert.equal(waitAfter(5, RETRIES), undefined);
  const waits = new Set(Array.from({ length: 50 }, () => waitAfter(4, RETRIES)));
  assert.ok(waits.size > 40 && Math.max(...waits) < 2000);
});

test("Retry-After is waited for, with some jitter on top; a longer one than allowed is not", () => {
  assert.equal(waitAfter(1, { ...RETRIES, random: () => 0 }, 7), 7000);
  assert.equal(waitAfter(1, { ...RETRIES, random: () => 1 }, 7), 7250);
  assert.equal(waitAfter(1, RETRIES, 61), undefined);
});

test("what passes by is tried again: 429, 5xx, broken and cut connections", async () => {
  answers = [refused(429, "slow"), refused(503, "down"), "broken", "cut", { status: 200, body: '{"username":"a"}' }];
  assert.deepEqual(await client().me(), { username: "a" });
  assert.equal(seen.length, 5);
});

test("tries are bounded, and the last answer is what is thrown", async () => {
  answers = Array.from({ length: 9 }, () => ({ status: 502, body: "<html>Bad</html>" }));
  await assert.rejects(client().me(), (problem) => {
    assert.ok(problem instanceof CodeSyncError && problem instanceof Error);
    assert.deepEqual([problem.statusCode, problem.error, problem.details], [502, "The portal answered 502 Bad Gateway.", {}]);
    return true;
  });
  assert.equal(seen.length, 5);
});

test("a refusal is not tried again, and says what the portal says", async () => {
  answers = [refused(400, "Mend the name.")];
  await assert.rejects(client().packages.get("x"), { statusCode: 400, error: "Mend the name.", details: { name: ["why"] } });
  assert.equal(seen.length, 1);
});

test("what changes something anew is tried again only where it was surely not done", async () => {
  const body = new Uint8Array([1]);
  for (const call of [(c) => c.packages.publish(body), (c) => c.tokens.rotate("x"), (c) => c.products.register()]) {
    for (const [first, requests] of [[refused(503, "down"), 1], ["broken", 1], [refused(429, "slow"), 2]]) {
      [answers, seen] = [[first], []];
      await call(client()).catch((problem) => assert.ok(problem instanceof CodeSyncError));
      assert.equal(seen.length, requests);
    }
  }
  [answers, seen] = [["broken", refused(500, "bug")], []];
  await client().security.audit({ purls: [] });
  assert.equal(seen.length, 3);
});

test("no error shows a token that stood in the address", async () => {
  const token = "sk_live_" + "x1".repeat(19);
  for (answers of [[refused(404, "no")], ["silent"]]) {
    await assert.rejects(client({ attempts: 1 }, { timeout: 30 }).products.token(token), (problem) => {
      assert.ok(!`${problem.stack} ${problem.url}`.includes(token.slice(8)) && problem.url.endsWith("/fetch/sk_live_…"));
      return true;
    });
  }
});

test("a stream is sent once", async () => {
  answers = [refused(429, "slow")];
  const stream = new Blob(["archive"]).stream();
  await assert.rejects(client().packages.publish(stream, { signature: "armored" }), { statusCode: 429 });
  assert.equal(seen.length, 1);
  assert.deepEqual([last.body, last.headers["x-signature"]], ["archive", btoa("armored")]);
});

test("a portal that wants a long pause is told of at once", async () => {
  answers = [refused(429, "slow", { "Retry-After": "3600" })];
  await assert.rejects(client().me(), { statusCode: 429, retryAfter: 3600 });
  assert.equal(seen.length, 1);
});

test("an abort ends the wait between tries, with the signal's own reason", async () => {
  answers = [refused(503, "down", { "Retry-After": "50" })];
  const controller = new AbortController();
  const asked = client().me({ signal: controller.signal });
  while (seen.length === 0) await new Promise(setImmediate);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(asked, (problem) => problem === reason);
  await assert.rejects(client().me({ signal: AbortSignal.abort(reason) }), (problem) => problem === reason);
  assert.equal(seen.length, 1);
});

test("an abort ends a request under way, and a download whose body is being read", async () => {
  answers = ["silent"];
  const controller = new AbortController();
  const asked = client().me({ signal: controller.signal });
  while (seen.length === 0) await new Promise(setImmediate);
  controller.abort();
  await assert.rejects(asked, { name: "AbortError" });

  const other = new AbortController();
  answers = ["endless"];
  const answer = await client().packages.download("x", "1.0.0", { signal: other.signal });
  other.abort();
  await assert.rejects(answer.arrayBuffer(), { name: "AbortError" });
});

test("a portal that says nothing is given up after the timeout, with status 0", async () => {
  answers = ["silent", "silent"];
  await assert.rejects(client({ attempts: 2 }, { timeout: 30 }).me(), { statusCode: 0, error: /in time/ });
  assert.equal(seen.length, 2);
});

test("a portal that is not there is an error like the others", async () => {
  const closed = http.createServer();
  await new Promise((ready) => closed.listen(0, "127.0.0.1", ready));
  const { port } = closed.address();
  await new Promise((done) => closed.close(done));
  const nowhere = new CodeSync({ baseUrl: `http://127.0.0.1:${port}`, retries: { attempts: 2, base: 1 } });
  await assert.rejects(nowhere.me(), (problem) => problem instanceof CodeSyncError && problem.statusCode === 0);
  assert.throws(() => new CodeSync({ baseUrl: "registry.example" }), { statusCode: 0 });
});

test("names, versions and files stay inside their segment of the address", async () => {
  const { packages } = client();
  await packages.version("@acme-utils/core", "1.0.0+a/b");
  await packages.get("library/versions");
  await packages.file("x", "1.0.0", "../x y.tgz");
  assert.deepEqual(seen, [
    "GET /api/v1/packages/@acme-utils/core/versions/1.0.0%2Ba%2Fb",
    "GET /api/v1/packages/library%2Fversions",
    "GET /api/v1/packages/x/versions/1.0.0/files/..%2Fx%20y.tgz",
  ]);
  for (const bad of ["", ".", ".."]) assert.throws(() => packages.version("x", bad), { statusCode: 0 });
});

test("the address may be given with either base, or without one", async () => {
  for (const [tail, base] of [["", "/api/v1"], ["/", "/api/v1"], ["/v1", "/v1"], ["/api/v1/", "/api/v1"]]) {
    seen = [];
    const portal = new CodeSync({ baseUrl: baseUrl + tail });
    await portal.me();
    await portal.health();
    assert.deepEqual(seen, [`GET ${base}/me`, "GET /health"]);
  }
});

test("what is no portal says so at once", async () => {
  answers = [{ status: 200, body: "<html>Welcome</html>" }];
  await assert.rejects(client().me(), (problem) => {
    assert.ok(problem instanceof CodeSyncError);
    assert.equal(problem.statusCode, 200);
    return /something else than JSON. Check baseUrl/.test(problem.error);
  });
  assert.equal(seen.length, 1);
});
