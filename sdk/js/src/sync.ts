import { segment, type CallOptions, type Transport } from "./transport.js";
import type { Queued, RegionStates, Run } from "./types.js";

/** Pulls from upstream registries, and the state of the EU mirrors (contract sections 8 and 9). */
export class Sync {
  constructor(private readonly transport: Transport) {}

  /** How replication to the EU regions stands. */
  status(call?: CallOptions): Promise<RegionStates> {
    return this.transport.json({ method: "GET", path: "/registry/sync/status" }, call);
  }

  /** The latest runs. */
  async list(options: CallOptions & { limit?: number } = {}): Promise<Run[]> {
    const { limit, ...call } = options;
    return (await this.transport.json<{ runs: Run[] }>({ method: "GET", path: "/sync", query: { limit } }, call)).runs;
  }

  /** Starts a pull from one upstream, or from every enabled one. */
  start(upstream?: string, call?: CallOptions): Promise<Queued> {
    const json = upstream === undefined ? undefined : { upstream };
    return this.transport.json({ method: "POST", path: "/sync", json }, call);
  }

  get(id: string, call?: CallOptions): Promise<Run> {
    return this.transport.json({ method: "GET", path: `/sync/${segment(id)}` }, call);
  }

  cancel(id: string, call?: CallOptions): Promise<Run> {
    return this.transport.json({ method: "POST", path: `/sync/${segment(id)}/cancel` }, call);
  }
}
