import { type CallOptions, type Transport } from "./transport.js";
import type { License, LicenseFacts, LicensePage, LicenseQuestion, NewLicense, Validity, WholeLicense } from "./types.js";
/** Instants in milliseconds since the epoch: `since` inclusive, `until` exclusive. */
export interface LicenseRange {
    since?: number;
    until?: number;
    limit?: number;
}
/** Sold keys, and facts about licenses (contract section 6). */
export declare class Licenses {
    private readonly transport;
    constructor(transport: Transport);
    /** One page of keys, oldest first. */
    list(range?: LicenseRange, call?: CallOptions): Promise<LicensePage>;
    /** Every key in the range, none lost and none twice. */
    iterate(range?: LicenseRange, call?: CallOptions): AsyncGenerator<License, void, undefined>;
    create(license: NewLicense, call?: CallOptions): Promise<License>;
    get(id: string, call?: CallOptions): Promise<License>;
    /** Replaces the whole key. */
    replace(id: string, license: WholeLicense, call?: CallOptions): Promise<License>;
    delete(id: string, call?: CallOptions): Promise<void>;
    /** Whether a key covers a version of a package. */
    validate(question: LicenseQuestion, call?: CallOptions): Promise<Validity>;
    /** Facts about an SPDX id or expression; `with` adds how it goes together with another. */
    facts(spdx: string, options?: CallOptions & {
        with?: string;
    }): Promise<LicenseFacts>;
}
