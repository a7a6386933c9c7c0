// Calls every method once against a fetch that only notes what was asked; prints the routes as JSON.
import { CodeSync } from "../dist/esm/index.js";

const seen = [];
const answer = { total: 0, offset: 0, pagination: { next: null }, data: [], packages: [], waivers: [], advisories: [], taken: [] };
const fetch = async (url, init) => {
  seen.push([init.method, decodeURIComponent(new URL(url).pathname)]);
  return new Response(JSON.stringify(answer));
};
const portal = new CodeSync({ baseUrl: "http://portal.example", token: "t", fetch });
const uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const first = { packages: ["@s/n"], security: ["@s/n"], licenses: [uuid], tokens: [uuid], signingKeys: [7], sync: [uuid], products: ["p"] };
const own = {
  "packages.list": [{}], "packages.iterate": [{}], "packages.categories": [], "packages.publish": [new Uint8Array(1)],
  "packages.submit": [{}], "packages.explain": ["pkg:npm/n@1"], "packages.resolve": ["@s/n", "^1"],
  "packages.file": ["@s/n", "1.0.0", "f.tgz"], "security.rescan": [{}], "security.audit": [{}], "security.waivers": [{}],
  "security.iterateWaivers": [{}], "security.waiver": [7], "security.waive": [{}], "security.endWaiver": [7],
  "security.advisories": [{}], "security.advisory": ["GHSA-1"], "security.recall": ["GHSA-1"],
  "security.iterateRecall": ["GHSA-1"], "security.iterateAdvisories": [{}], "licenses.list": [{}], "licenses.iterate": [{}],
  "licenses.create": [{}], "licenses.replace": [uuid, {}], "licenses.validate": [{}], "licenses.facts": ["MIT"],
  "tokens.list": [], "tokens.create": [{}], "signingKeys.list": [], "signingKeys.add": [{}], "sync.status": [],
  "sync.list": [], "sync.start": ["u"], "products.register": [true], "products.list": [], "products.create": [{}],
  "products.token": ["t"], "products.prune": ["t"], "products.grant": ["p", "t", {}], "products.revoke": ["p", "t"],
  "products.retain": ["p", {}], "products.upload": ["p", "1", new Blob(["x"]), "f"],
};

for (const [group, given] of Object.entries(first)) {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(portal[group]));
  for (const name of methods.filter((name) => !["constructor", "onVersion"].includes(name))) {
    const done = portal[group][name](...(own[`${group}.${name}`] ?? [...given, "1.0.0"]));
    if (done[Symbol.asyncIterator]) for await (const _ of done);
    else await done;
  }
}
await portal.me();
await portal.health();
console.log(JSON.stringify(seen));
