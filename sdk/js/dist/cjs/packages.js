"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Packages = void 0;
const paging_js_1 = require("./paging.js");
const transport_js_1 = require("./transport.js");
/** Packages, their versions and files (contract section 3). Versions may be dist-tags everywhere. */
class Packages {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    /** One page of packages. */
    list(filter = {}, call) {
        return this.transport.json({ method: "GET", path: "/packages", query: { ...filter } }, call);
    }
    /** Every package that fits; `limit` is the size of the pages, which come as they are wanted. */
    iterate(filter = {}, call) {
        const ask = (limit, offset) => this.list({ ...filter, limit, offset }, call);
        return (0, paging_js_1.walk)(ask, (page) => page.packages, filter.limit);
    }
    /** How many packages each category holds. */
    categories(call) {
        return this.transport.json({ method: "GET", path: "/packages/stats/categories" }, call);
    }
    /** A package with its versions; `depth` (1 to 20, or `full`) adds the dependency tree. */
    get(name, options = {}) {
        const { ecosystem, depth, ...call } = options;
        return this.transport.json({ method: "GET", path: pathOf(name), query: { ecosystem, depth } }, call);
    }
    /** The highest version here that satisfies the range. */
    resolve(name, range, options = {}) {
        const { ecosystem, prerelease, ...call } = options;
        const query = { range, prerelease, ecosystem };
        return this.transport.json({ method: "GET", path: `${pathOf(name)}/resolve`, query }, call);
    }
    /** One version with its checks. */
    version(name, version, options = {}) {
        return this.onVersion("GET", name, version, "", options);
    }
    /** A version's file; its bytes are the answer's body. Counts a download. */
    download(name, version, options = {}) {
        const { ecosystem, file, range, ...call } = options;
        const path = `${versionPath(name, version)}/download`;
        return this.transport.answer({ method: "GET", path, query: { ecosystem, file }, headers: ranged(range) }, call);
    }
    /** The same by the file's name. */
    file(name, version, filename, options = {}) {
        const { ecosystem, range, ...call } = options;
        const path = `${versionPath(name, version)}/files/${(0, transport_js_1.segment)(filename)}`;
        return this.transport.answer({ method: "GET", path, query: { ecosystem }, headers: ranged(range) }, call);
    }
    /** The bill of materials of a version, as CycloneDX 1.6. */
    sbom(name, version, options = {}) {
        return this.onVersion("GET", name, version, "/sbom", options);
    }
    /** The armored SSH signature of a version. */
    signature(name, version, options = {}) {
        const { ecosystem, ...call } = options;
        const path = `${versionPath(name, version)}/signature`;
        return this.transport.text({ method: "GET", path, query: { ecosystem } }, call);
    }
    /** Asks for a third-party package, which a maintainer reviews. */
    submit(submission, call) {
        return this.transport.json({ method: "POST", path: "/packages", json: submission }, call);
    }
    /** Publishes a signed archive: an npm tarball, a Python sdist or a wheel. */
    publish(archive, options = {}) {
        const { signature, tag, access, category, ...call } = options;
        const headers = { "Content-Type": "application/octet-stream" };
        if (signature !== undefined)
            headers["X-Signature"] = btoa(signature);
        const request = { method: "POST", path: "/packages/publish", query: { tag, access, category }, body: archive, headers };
        return this.transport.json(request, call);
    }
    /** Approves a version that waits; over a failed check with `override` and a reason. */
    approve(name, version, approval = {}, options = {}) {
        return this.onVersion("POST", name, version, "/approve", options, approval);
    }
    /** Rejects a version, with a reason. */
    reject(name, version, rejection, options = {}) {
        return this.onVersion("POST", name, version, "/reject", options, rejection);
    }
    /** Takes a version from every list; its file is removed after the grace of 24 hours. */
    unlist(name, version, options = {}) {
        return this.onVersion("DELETE", name, version, "", options);
    }
    /** Takes the unlisting back, within the grace. */
    restore(name, version, options = {}) {
        return this.onVersion("POST", name, version, "/restore", options);
    }
    /** May I have this, and why not? Asks with a purl: `pkg:npm/%40acme/core@1.2.0`. */
    explain(purl, call) {
        return this.transport.json({ method: "GET", path: "/explain", query: { purl } }, call);
    }
    onVersion(method, name, version, what, options, json) {
        const { ecosystem, ...call } = options;
        const path = versionPath(name, version) + what;
        return this.transport.json({ method, path, query: { ecosystem }, json }, call);
    }
}
exports.Packages = Packages;
/** `@scope/name` as two segments; any other slash is encoded, so that no name is taken for a sub-resource. */
function pathOf(name) {
    const [, scope, rest] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
    return `/packages/${scope && rest ? `@${(0, transport_js_1.segment)(scope.slice(1))}/${(0, transport_js_1.segment)(rest)}` : (0, transport_js_1.segment)(name)}`;
}
function versionPath(name, version) {
    return `${pathOf(name)}/versions/${(0, transport_js_1.segment)(version)}`;
}
function ranged(range) {
    return range === undefined ? {} : { Range: range };
}
