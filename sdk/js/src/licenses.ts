import { segment, type CallOptions, type Transport } from "./transport.js";
import type { License, LicenseFacts, LicensePage, LicenseQuestion, NewLicense, Validity, WholeLicense } from "./types.js";

/** Instants in milliseconds since the epoch: `since` inclusive, `until` exclusive. */
export interface LicenseRange {
  since?: number;
  until?: number;
  limit?: number;
}

/** Sold keys, and facts about licenses (contract section 6). */
export class Licenses {
  constructor(private readonly transport: Transport) {}

  /** One page of keys, oldest first. */
  list(range: LicenseRange = {}, call?: CallOptions): Promise<LicensePage> {
    return this.transport.json({ method: "GET", path: "/licenses", query: { ...range } }, call);
  }

  /** Every key in the range, none lost and none twice. */
  async *iterate(range: LicenseRange = {}, call?: CallOptions): AsyncGenerator<License, void, undefined> {
    for (let since: number | null | undefined = range.since; ; ) {
      const page: LicensePage = await this.list({ ...range, since }, call);
      yield* page.data;
      since = page.pagination.next;
      if (since === null) return;
    }
  }

  create(license: NewLicense, call?: CallOptions): Promise<License> {
    return this.transport.json({ method: "POST", path: "/licenses", json: license }, call);
  }

  get(id: string, call?: CallOptions): Promise<License> {
    return this.transport.json({ method: "GET", path: `/licenses/${segment(id)}` }, call);
  }

  /** Replaces the whole key. */
  replace(id: string, license: WholeLicense, call?: CallOptions): Promise<License> {
    return this.transport.json({ method: "PUT", path: `/licenses/${segment(id)}`, json: license }, call);
  }

  delete(id: string, call?: CallOptions): Promise<void> {
    return this.transport.done({ method: "DELETE", path: `/licenses/${segment(id)}` }, call);
  }

  /** Whether a key covers a version of a package. */
  validate(question: LicenseQuestion, call?: CallOptions): Promise<Validity> {
    return this.transport.json({ method: "POST", path: "/licenses/validate", json: question, isIdempotent: true }, call);
  }

  /** Facts about an SPDX id or expression; `with` adds how it goes together with another. */
  facts(spdx: string, options: CallOptions & { with?: string } = {}): Promise<LicenseFacts> {
    const { with: other, ...call } = options;
    return this.transport.json({ method: "GET", path: `/licenses/${segment(spdx)}`, query: { with: other } }, call);
  }
}
