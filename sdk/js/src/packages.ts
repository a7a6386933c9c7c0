import { walk } from "./paging.js";
import { segment, type Bytes, type CallOptions, type Transport } from "./transport.js";
import type {
  Approval, Categories, Category, Ecosystem, Explanation, PackageDetail, PackageRow, PackagePage,
  Published, Rejection, Resolution, Status, Submission, Submitted, Unlisted, Version, Visibility,
} from "./types.js";

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
export class Packages {
  constructor(private readonly transport: Transport) {}

  /** One page of packages. */
  list(filter: PackageFilter & PageOptions = {}, call?: CallOptions): Promise<PackagePage> {
    return this.transport.json({ method: "GET", path: "/packages", query: { ...filter } }, call);
  }

  /** Every package that fits; `limit` is the size of the pages, which come as they are wanted. */
  iterate(filter: PackageFilter & { limit?: number } = {}, call?: CallOptions): AsyncGenerator<PackageRow, void, undefined> {
    const ask = (limit: number, offset: number) => this.list({ ...filter, limit, offset }, call);
    return walk(ask, (page) => page.packages, filter.limit);
  }

  /** How many packages each category holds. */
  categories(call?: CallOptions): Promise<Categories> {
    return this.transport.json({ method: "GET", path: "/packages/stats/categories" }, call);
  }

  /** A package with its versions; `depth` (1 to 20, or `full`) adds the dependency tree. */
  get(name: string, options: InEcosystem & { depth?: number | "shallow" | "full" } = {}): Promise<PackageDetail> {
    const { ecosystem, depth, ...call } = options;
    return this.transport.json({ method: "GET", path: pathOf(name), query: { ecosystem, depth } }, call);
  }

  /** The highest version here that satisfies the range. */
  resolve(name: string, range: string, options: InEcosystem & { prerelease?: boolean } = {}): Promise<Resolution> {
    const { ecosystem, prerelease, ...call } = options;
    const query = { range, prerelease, ecosystem };
    return this.transport.json({ method: "GET", path: `${pathOf(name)}/resolve`, query }, call);
  }

  /** One version with its checks. */
  version(name: string, version: string, options: InEcosystem = {}): Promise<Version> {
    return this.onVersion("GET", name, version, "", options);
  }

  /** A version's file; its bytes are the answer's body. Counts a download. */
  download(name: string, version: string, options: DownloadOptions = {}): Promise<Response> {
    const { ecosystem, file, range, ...call } = options;
    const path = `${versionPath(name, version)}/download`;
    return this.transport.answer({ method: "GET", path, query: { ecosystem, file }, headers: ranged(range) }, call);
  }

  /** The same by the file's name. */
  file(name: string, version: string, filename: string, options: InEcosystem & { range?: string } = {}): Promise<Response> {
    const { ecosystem, range, ...call } = options;
    const path = `${versionPath(name, version)}/files/${segment(filename)}`;
    return this.transport.answer({ method: "GET", path, query: { ecosystem }, headers: ranged(range) }, call);
  }

  /** The bill of materials of a version, as CycloneDX 1.6. */
  sbom(name: string, version: string, options: InEcosystem = {}): Promise<Record<string, unknown>> {
    return this.onVersion("GET", name, version, "/sbom", options);
  }

  /** The armored SSH signature of a version. */
  signature(name: string, version: string, options: InEcosystem = {}): Promise<string> {
    const { ecosystem, ...call } = options;
    const path = `${versionPath(name, version)}/signature`;
    return this.transport.text({ method: "GET", path, query: { ecosystem } }, call);
  }

  /** Asks for a third-party package, which a maintainer reviews. */
  submit(submission: Submission, call?: CallOptions): Promise<Submitted> {
    return this.transport.json({ method: "POST", path: "/packages", json: submission }, call);
  }

  /** Publishes a signed archive: an npm tarball, a Python sdist or a wheel. */
  publish(archive: Bytes, options: PublishOptions = {}): Promise<Published> {
    const { signature, tag, access, category, ...call } = options;
    const headers: Record<string, string> = { "Content-Type": "application/octet-stream" };
    if (signature !== undefined) headers["X-Signature"] = btoa(signature);
    const request = { method: "POST", path: "/packages/publish", query: { tag, access, category }, body: archive, headers };
    return this.transport.json(request, call);
  }

  /** Approves a version that waits; over a failed check with `override` and a reason. */
  approve(name: string, version: string, approval: Approval = {}, options: InEcosystem = {}): Promise<Version> {
    return this.onVersion("POST", name, version, "/approve", options, approval);
  }

  /** Rejects a version, with a reason. */
  reject(name: string, version: string, rejection: Rejection, options: InEcosystem = {}): Promise<Version> {
    return this.onVersion("POST", name, version, "/reject", options, rejection);
  }

  /** Takes a version from every list; its file is removed after the grace of 24 hours. */
  unlist(name: string, version: string, options: InEcosystem = {}): Promise<Unlisted> {
    return this.onVersion("DELETE", name, version, "", options);
  }

  /** Takes the unlisting back, within the grace. */
  restore(name: string, version: string, options: InEcosystem = {}): Promise<Version> {
    return this.onVersion("POST", name, version, "/restore", options);
  }

  /** May I have this, and why not? Asks with a purl: `pkg:npm/%40acme/core@1.2.0`. */
  explain(purl: string, call?: CallOptions): Promise<Explanation> {
    return this.transport.json({ method: "GET", path: "/explain", query: { purl } }, call);
  }

  private onVersion<T>(
    method: string, name: string, version: string, what: string, options: InEcosystem, json?: unknown,
  ): Promise<T> {
    const { ecosystem, ...call } = options;
    const path = versionPath(name, version) + what;
    return this.transport.json({ method, path, query: { ecosystem }, json }, call);
  }
}

/** `@scope/name` as two segments; any other slash is encoded, so that no name is taken for a sub-resource. */
function pathOf(name: string): string {
  const [, scope, rest] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return `/packages/${scope && rest ? `@${segment(scope.slice(1))}/${segment(rest)}` : segment(name)}`;
}

function versionPath(name: string, version: string): string {
  return `${pathOf(name)}/versions/${segment(version)}`;
}

function ranged(range: string | undefined): Record<string, string> {
  return range === undefined ? {} : { Range: range };
}
