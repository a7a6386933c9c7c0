import { type Bytes, type CallOptions, type Transport } from "./transport.js";
import type { Approval, Categories, Category, Ecosystem, Explanation, PackageDetail, PackageRow, PackagePage, Published, Rejection, Resolution, Status, Submission, Submitted, Unlisted, Version, Visibility } from "./types.js";
export interface PackageFilter {
    search?: string;
    ecosystem?: Ecosystem;
    category?: Category;
    status?: Status;
    /** An SPDX id. */
    license?: string;
    ordering?: "name" | "-name" | "updated" | "-updated" | "downloads" | "-downloads" | "relevance";
}
export interface PageOptions {
    limit?: number;
    offset?: number;
    page?: number;
}
/** Where several ecosystems hold the name, which one is meant. */
export interface InEcosystem extends CallOptions {
    ecosystem?: Ecosystem;
}
export interface DownloadOptions extends InEcosystem {
    /** One of several files of the version. */
    file?: string;
    /** A part of the file: `bytes=0-1023`. */
    range?: string;
}
export interface PublishOptions extends CallOptions {
    /** The armored SSH signature over the archive; left out when it is appended to the bytes. */
    signature?: string;
    /** The dist-tag; the portal's default is `latest`. */
    tag?: string;
    access?: Visibility;
    category?: Category;
}
/** Packages, their versions and files (contract section 3). Versions may be dist-tags everywhere. */
export declare class Packages {
    private readonly transport;
    constructor(transport: Transport);
    /** One page of packages. */
    list(filter?: PackageFilter & PageOptions, call?: CallOptions): Promise<PackagePage>;
    /** Every package that fits; `limit` is the size of the pages, which come as they are wanted. */
    iterate(filter?: PackageFilter & {
        limit?: number;
    }, call?: CallOptions): AsyncGenerator<PackageRow, void, undefined>;
    /** How many packages each category holds. */
    categories(call?: CallOptions): Promise<Categories>;
    /** A package with its versions; `depth` (1 to 20, or `full`) adds the dependency tree. */
    get(name: string, options?: InEcosystem & {
        depth?: number | "shallow" | "full";
    }): Promise<PackageDetail>;
    /** The highest version here that satisfies the range. */
    resolve(name: string, range: string, options?: InEcosystem & {
        prerelease?: boolean;
    }): Promise<Resolution>;
    /** One version with its checks. */
    version(name: string, version: string, options?: InEcosystem): Promise<Version>;
    /** A version's file; its bytes are the answer's body. Counts a download. */
    download(name: string, version: string, options?: DownloadOptions): Promise<Response>;
    /** The same by the file's name. */
    file(name: string, version: string, filename: string, options?: InEcosystem & {
        range?: string;
    }): Promise<Response>;
    /** The bill of materials of a version, as CycloneDX 1.6. */
    sbom(name: string, version: string, options?: InEcosystem): Promise<Record<string, unknown>>;
    /** The armored SSH signature of a version. */
    signature(name: string, version: string, options?: InEcosystem): Promise<string>;
    /** Asks for a third-party package, which a maintainer reviews. */
    submit(submission: Submission, call?: CallOptions): Promise<Submitted>;
    /** Publishes a signed archive: an npm tarball, a Python sdist or a wheel. */
    publish(archive: Bytes, options?: PublishOptions): Promise<Published>;
    /** Approves a version that waits; over a failed check with `override` and a reason. */
    approve(name: string, version: string, approval?: Approval, options?: InEcosystem): Promise<Version>;
    /** Rejects a version, with a reason. */
    reject(name: string, version: string, rejection: Rejection, options?: InEcosystem): Promise<Version>;
    /** Takes a version from every list; its file is removed after the grace of 24 hours. */
    unlist(name: string, version: string, options?: InEcosystem): Promise<Unlisted>;
    /** Takes the unlisting back, within the grace. */
    restore(name: string, version: string, options?: InEcosystem): Promise<Version>;
    /** May I have this, and why not? Asks with a purl: `pkg:npm/%40acme/core@1.2.0`. */
    explain(purl: string, call?: CallOptions): Promise<Explanation>;
    private onVersion;
}
