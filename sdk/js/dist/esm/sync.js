import { segment } from "./transport.js";
/** Pulls from upstream registries, and the state of the EU mirrors (contract sections 8 and 9). */
export class Sync {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    /** How replication to the EU regions stands. */
    status(call) {
        return this.transport.json({ method: "GET", path: "/registry/sync/status" }, call);
    }
    /** The latest runs. */
    async list(options = {}) {
        const { limit, ...call } = options;
        return (await this.transport.json({ method: "GET", path: "/sync", query: { limit } }, call)).runs;
    }
    /** Starts a pull from one upstream, or from every enabled one. */
    start(upstream, call) {
        const json = upstream === undefined ? undefined : { upstream };
        return this.transport.json({ method: "POST", path: "/sync", json }, call);
    }
    get(id, call) {
        return this.transport.json({ method: "GET", path: `/sync/${segment(id)}` }, call);
    }
    cancel(id, call) {
        return this.transport.json({ method: "POST", path: `/sync/${segment(id)}/cancel` }, call);
    }
}
