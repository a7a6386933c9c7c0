import type { PageOptions } from "./packages.js";
import { type CallOptions, type Transport } from "./transport.js";
import type { AdvisoryPage, Advisory, AdvisoryRow, Audit, AuditQuestion, Ecosystem, QueuedScan, RecallPage, RecallTaking, ScanResult, Severity, WaiverRow, WaiverPage, WantedScan, WantedWaiver } from "./types.js";
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
export declare class Security {
    private readonly transport;
    constructor(transport: Transport);
    /** The scan of a version; of the latest one without `version`. */
    scan(name: string, options?: CallOptions & {
        version?: string;
        ecosystem?: Ecosystem;
    }): Promise<ScanResult>;
    /** Queues a new scan. */
    rescan(wanted: WantedScan, call?: CallOptions): Promise<QueuedScan>;
    /** Which of these packages, or those of this lock file, are vulnerable. */
    audit(question: AuditQuestion, call?: CallOptions): Promise<Audit>;
    /** One page of waivers; `inProject` shows one project's. */
    waivers(filter?: WaiverFilter & PageOptions & {
        inProject?: string;
    }, call?: CallOptions): Promise<WaiverPage>;
    /** Every waiver that fits. */
    iterateWaivers(filter?: WaiverFilter & {
        inProject?: string;
    }, call?: CallOptions): AsyncGenerator<WaiverRow, void, undefined>;
    /** One waiver. */
    waiver(id: number, call?: CallOptions): Promise<WaiverRow>;
    /** Accepts a finding for some versions until an instant, with a reason. */
    waive(wanted: WantedWaiver, call?: CallOptions): Promise<WaiverRow>;
    /** Ends a waiver now. */
    endWaiver(id: number, call?: CallOptions): Promise<void>;
    /** One page of advisories, the last changed first. */
    advisories(filter?: AdvisoryFilter & PageOptions, call?: CallOptions): Promise<AdvisoryPage>;
    /** Every advisory that fits. */
    iterateAdvisories(filter?: AdvisoryFilter, call?: CallOptions): AsyncGenerator<AdvisoryRow, void, undefined>;
    /** One advisory as OSV, with the versions held here that it touches. */
    advisory(id: string, call?: CallOptions): Promise<Advisory>;
    /** Who has taken what an advisory touches, one page. */
    recall(id: string, page?: PageOptions, call?: CallOptions): Promise<RecallPage>;
    /** Everyone who has taken what an advisory touches. */
    iterateRecall(id: string, call?: CallOptions): AsyncGenerator<RecallTaking, void, undefined>;
}
