import { walk } from "./paging.js";
import type { PageOptions } from "./packages.js";
import { segment, type CallOptions, type Transport } from "./transport.js";
import type {
  AdvisoryPage, Advisory, AdvisoryRow, Audit, AuditQuestion, Ecosystem, QueuedScan, RecallPage,
  RecallTaking, ScanResult, Severity, WaiverRow, WaiverPage, WantedScan, WantedWaiver,
} from "./types.js";

export interface WaiverFilter {
  finding?: string;
  package?: string;
  status?: "live" | "ended" | "expired";
}

export interface AdvisoryFilter {
  id?: string;
  ecosystem?: Ecosystem;
  package?: string;
  severity?: Severity;
  withdrawn?: boolean;
}

/** Scans, audits, waivers and advisories (contract sections 3 and 7). */
export class Security {
  constructor(private readonly transport: Transport) {}

  /** The scan of a version; of the latest one without `version`. */
  scan(name: string, options: CallOptions & { version?: string; ecosystem?: Ecosystem } = {}): Promise<ScanResult> {
    const { version, ecosystem, ...call } = options;
    const path = `/security/scans/${segment(name)}`;
    return this.transport.json({ method: "GET", path, query: { version, ecosystem } }, call);
  }

  /** Queues a new scan. */
  rescan(wanted: WantedScan, call?: CallOptions): Promise<QueuedScan> {
    return this.transport.json({ method: "POST", path: "/security/scans", json: wanted }, call);
  }

  /** Which of these packages, or those of this lock file, are vulnerable. */
  audit(question: AuditQuestion, call?: CallOptions): Promise<Audit> {
    return this.transport.json({ method: "POST", path: "/audit", json: question, isIdempotent: true }, call);
  }

  /** One page of waivers; `inProject` shows one project's. */
  waivers(filter: WaiverFilter & PageOptions & { inProject?: string } = {}, call?: CallOptions): Promise<WaiverPage> {
    const { inProject, ...query } = filter;
    const request = { method: "GET", path: "/security/waivers", query: { ...query, project: inProject } };
    return this.transport.json(request, call);
  }

  /** Every waiver that fits. */
  iterateWaivers(filter: WaiverFilter & { inProject?: string } = {}, call?: CallOptions): AsyncGenerator<WaiverRow, void, undefined> {
    return walk((limit, offset) => this.waivers({ ...filter, limit, offset }, call), (page) => page.waivers);
  }

  /** One waiver. */
  waiver(id: number, call?: CallOptions): Promise<WaiverRow> {
    return this.transport.json({ method: "GET", path: `/security/waivers/${segment(id)}` }, call);
  }

  /** Accepts a finding for some versions until an instant, with a reason. */
  waive(wanted: WantedWaiver, call?: CallOptions): Promise<WaiverRow> {
    return this.transport.json({ method: "POST", path: "/security/waivers", json: wanted }, call);
  }

  /** Ends a waiver now. */
  endWaiver(id: number, call?: CallOptions): Promise<void> {
    return this.transport.done({ method: "DELETE", path: `/security/waivers/${segment(id)}` }, call);
  }

  /** One page of advisories, the last changed first. */
  advisories(filter: AdvisoryFilter & PageOptions = {}, call?: CallOptions): Promise<AdvisoryPage> {
    return this.transport.json({ method: "GET", path: "/advisories", query: { ...filter } }, call);
  }

  /** Every advisory that fits. */
  iterateAdvisories(filter: AdvisoryFilter = {}, call?: CallOptions): AsyncGenerator<AdvisoryRow, void, undefined> {
    return walk((limit, offset) => this.advisories({ ...filter, limit, offset }, call), (page) => page.advisories);
  }

  /** One advisory as OSV, with the versions held here that it touches. */
  advisory(id: string, call?: CallOptions): Promise<Advisory> {
    return this.transport.json({ method: "GET", path: `/advisories/${segment(id)}` }, call);
  }

  /** Who has taken what an advisory touches, one page. */
  recall(id: string, page: PageOptions = {}, call?: CallOptions): Promise<RecallPage> {
    const path = `/advisories/${segment(id)}/recall`;
    return this.transport.json({ method: "GET", path, query: { ...page } }, call);
  }

  /** Everyone who has taken what an advisory touches. */
  iterateRecall(id: string, call?: CallOptions): AsyncGenerator<RecallTaking, void, undefined> {
    return walk((limit, offset) => this.recall(id, { limit, offset }, call), (page) => page.taken);
  }
}
