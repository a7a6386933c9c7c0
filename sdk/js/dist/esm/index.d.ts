/** The client of a CodeSync Registry: for Node 18 or newer and for browsers. What needs Node is in `@codesync/sdk/node`. */
import { Licenses } from "./licenses.js";
import { Packages } from "./packages.js";
import { SigningKeys, Tokens } from "./people.js";
import { Products } from "./products.js";
import type { RetryPolicy } from "./retrying.js";
import { type Rotation } from "./rotating.js";
import { Security } from "./security.js";
import { Sync } from "./sync.js";
import { type CallOptions } from "./transport.js";
import type { Health, Me } from "./types.js";
export interface CodeSyncOptions {
    /** The portal's address, with or without `/v1` or `/api/v1`. */
    baseUrl: string;
    /** An API token or a sold key; without it, what is public. */
    token?: string;
    /** The slug of the project (tenant) to act in. */
    project?: string;
    retries?: Partial<RetryPolicy>;
    /** Milliseconds for one try; 0 for no limit. Default 60,000. */
    timeout?: number;
    /** Renews the token before it ends. */
    rotation?: Rotation;
    /** Another fetch, for proxies and tests. */
    fetch?: typeof fetch;
    /** Headers of every request. */
    headers?: Record<string, string>;
}
/** One portal, as one credential sees it. */
export declare class CodeSync {
    readonly packages: Packages;
    readonly security: Security;
    readonly licenses: Licenses;
    readonly tokens: Tokens;
    readonly signingKeys: SigningKeys;
    readonly sync: Sync;
    readonly products: Products;
    private readonly transport;
    constructor(options: CodeSyncOptions);
    /** The credential in use; after a rotation, the successor. */
    get token(): string | undefined;
    set token(token: string | undefined);
    /** Who the credential stands for. */
    me(call?: CallOptions): Promise<Me>;
    /** How the portal's parts are; resolves too when it is down and says so (503). */
    health(call?: CallOptions): Promise<Health>;
}
export { CodeSyncError, type Problem } from "./errors.js";
export type { LicenseRange, Licenses } from "./licenses.js";
export type { DownloadOptions, InEcosystem, PackageFilter, Packages, PageOptions, PublishOptions } from "./packages.js";
export type { SigningKeys, Tokens } from "./people.js";
export type { Products } from "./products.js";
export type { RetryPolicy } from "./retrying.js";
export type { Rotation } from "./rotating.js";
export type { AdvisoryFilter, Security, WaiverFilter } from "./security.js";
export type { Sync } from "./sync.js";
export type { Bytes, CallOptions } from "./transport.js";
export type * from "./types.js";
