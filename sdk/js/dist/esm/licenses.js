import { segment } from "./transport.js";
/** Sold keys, and facts about licenses (contract section 6). */
export class Licenses {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    /** One page of keys, oldest first. */
    list(range = {}, call) {
        return this.transport.json({ method: "GET", path: "/licenses", query: { ...range } }, call);
    }
    /** Every key in the range, none lost and none twice. */
    async *iterate(range = {}, call) {
        for (let since = range.since;;) {
            const page = await this.list({ ...range, since }, call);
            yield* page.data;
            since = page.pagination.next;
            if (since === null)
                return;
        }
    }
    create(license, call) {
        return this.transport.json({ method: "POST", path: "/licenses", json: license }, call);
    }
    get(id, call) {
        return this.transport.json({ method: "GET", path: `/licenses/${segment(id)}` }, call);
    }
    /** Replaces the whole key. */
    replace(id, license, call) {
        return this.transport.json({ method: "PUT", path: `/licenses/${segment(id)}`, json: license }, call);
    }
    delete(id, call) {
        return this.transport.done({ method: "DELETE", path: `/licenses/${segment(id)}` }, call);
    }
    /** Whether a key covers a version of a package. */
    validate(question, call) {
        return this.transport.json({ method: "POST", path: "/licenses/validate", json: question, isIdempotent: true }, call);
    }
    /** Facts about an SPDX id or expression; `with` adds how it goes together with another. */
    facts(spdx, options = {}) {
        const { with: other, ...call } = options;
        return this.transport.json({ method: "GET", path: `/licenses/${segment(spdx)}`, query: { with: other } }, call);
    }
}
