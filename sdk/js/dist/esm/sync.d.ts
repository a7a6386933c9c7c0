import { type CallOptions, type Transport } from "./transport.js";
import type { Queued, RegionStates, Run } from "./types.js";
/** Pulls from upstream registries, and the state of the EU mirrors (contract sections 8 and 9). */
export declare class Sync {
    private readonly transport;
    constructor(transport: Transport);
    /** How replication to the EU regions stands. */
    status(call?: CallOptions): Promise<RegionStates>;
    /** The latest runs. */
    list(options?: CallOptions & {
        limit?: number;
    }): Promise<Run[]>;
    /** Starts a pull from one upstream, or from every enabled one. */
    start(upstream?: string, call?: CallOptions): Promise<Queued>;
    get(id: string, call?: CallOptions): Promise<Run>;
    cancel(id: string, call?: CallOptions): Promise<Run>;
}
