"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Security = void 0;
const paging_js_1 = require("./paging.js");
const transport_js_1 = require("./transport.js");
/** Scans, audits, waivers and advisories (contract sections 3 and 7). */
class Security {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    /** The scan of a version; of the latest one without `version`. */
    scan(name, options = {}) {
        const { version, ecosystem, ...call } = options;
        const path = `/security/scans/${(0, transport_js_1.segment)(name)}`;
        return this.transport.json({ method: "GET", path, query: { version, ecosystem } }, call);
    }
    /** Queues a new scan. */
    rescan(wanted, call) {
        return this.transport.json({ method: "POST", path: "/security/scans", json: wanted }, call);
    }
    /** Which of these packages, or those of this lock file, are vulnerable. */
    audit(question, call) {
        return this.transport.json({ method: "POST", path: "/audit", json: question, isIdempotent: true }, call);
    }
    /** One page of waivers; `inProject` shows one project's. */
    waivers(filter = {}, call) {
        const { inProject, ...query } = filter;
        const request = { method: "GET", path: "/security/waivers", query: { ...query, project: inProject } };
        return this.transport.json(request, call);
    }
    /** Every waiver that fits. */
    iterateWaivers(filter = {}, call) {
        return (0, paging_js_1.walk)((limit, offset) => this.waivers({ ...filter, limit, offset }, call), (page) => page.waivers);
    }
    /** One waiver. */
    waiver(id, call) {
        return this.transport.json({ method: "GET", path: `/security/waivers/${(0, transport_js_1.segment)(id)}` }, call);
    }
    /** Accepts a finding for some versions until an instant, with a reason. */
    waive(wanted, call) {
        return this.transport.json({ method: "POST", path: "/security/waivers", json: wanted }, call);
    }
    /** Ends a waiver now. */
    endWaiver(id, call) {
        return this.transport.done({ method: "DELETE", path: `/security/waivers/${(0, transport_js_1.segment)(id)}` }, call);
    }
    /** One page of advisories, the last changed first. */
    advisories(filter = {}, call) {
        return this.transport.json({ method: "GET", path: "/advisories", query: { ...filter } }, call);
    }
    /** Every advisory that fits. */
    iterateAdvisories(filter = {}, call) {
        return (0, paging_js_1.walk)((limit, offset) => this.advisories({ ...filter, limit, offset }, call), (page) => page.advisories);
    }
    /** One advisory as OSV, with the versions held here that it touches. */
    advisory(id, call) {
        return this.transport.json({ method: "GET", path: `/advisories/${(0, transport_js_1.segment)(id)}` }, call);
    }
    /** Who has taken what an advisory touches, one page. */
    recall(id, page = {}, call) {
        const path = `/advisories/${(0, transport_js_1.segment)(id)}/recall`;
        return this.transport.json({ method: "GET", path, query: { ...page } }, call);
    }
    /** Everyone who has taken what an advisory touches. */
    iterateRecall(id, call) {
        return (0, paging_js_1.walk)((limit, offset) => this.recall(id, { limit, offset }, call), (page) => page.taken);
    }
}
exports.Security = Security;
