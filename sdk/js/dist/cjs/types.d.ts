/** The shapes of the API, named and nullable as its OpenAPI description has them. Instants are ISO 8601 in UTC. */
export type Ecosystem = "npm" | "pypi" | "maven" | "docker" | "generic";
export type Status = "pending" | "approved" | "rejected" | "quarantined";
export type Severity = "critical" | "high" | "medium" | "low" | "unknown";
export type Scope = "admin" | "licenses" | "publish" | "read" | "review" | "sync";
export type Category = "AI_ML" | "CLI" | "DATA" | "DEVTOOLS" | "NETWORK" | "SECURITY" | "TESTING" | "TEXT" | "UI" | "WEB" | "OTHER";
export type CheckState = "pending" | "running" | "passed" | "warned" | "failed" | "errored" | "skipped";
export type MirrorState = "healthy" | "degraded" | "down";
export type RunState = "queued" | "running" | "succeeded" | "partial" | "failed" | "cancelled";
export type ScanState = "pending" | "passed" | "failed" | "errored";
export type Visibility = "public" | "private";
export type Answer = "allow" | "hold" | "deny";
export type FindingKind = "vulnerability" | "malware" | "secret" | "license";
/** What bounds a sold key: nothing, an instant (ms since the epoch), or a semver range. */
export type LicenseConstraint = {
    type: "none";
} | {
    type: "date";
    value: number;
    perpetualFallback?: boolean;
} | {
    type: "version";
    value: string;
};
/** One page of advisories, the last changed first. */
export interface AdvisoryPage {
    total: number;
    limit: number;
    offset: number;
    page: number;
    pages: number;
    advisories: AdvisoryRow[];
}
/** An advisory in a list. */
export interface AdvisoryRow {
    id: string;
    aliases: string[];
    summary: string;
    severity: Severity;
    cvss: number | null;
    url: string;
    published: string | null;
    modified: string;
    withdrawn: string | null;
}
/** An approval; over a failed check it needs `override` and a reason. */
export interface Approval {
    reason?: string;
    override?: boolean;
    sha256?: string;
}
/** A file of a version. */
export interface ArtifactRow {
    filename: string;
    kind: string;
    media_type: string;
    size: number;
    sha256: string;
    sha512: string;
    uploaded_at: string;
}
/** Exactly one of `packages`, `purls` and `lockfile`. */
export interface AuditQuestion {
    packages?: AskedPackage[];
    purls?: string[];
    lockfile?: string;
    license?: string;
    format?: "bom.json" | "cyclonedx" | "cyclonedx.json" | "npm-shrinkwrap.json" | "package-lock.json" | "poetry.lock" | "requirements.txt" | "sbom.json" | "uv.lock";
}
/** One package in use. */
export interface AskedPackage {
    ecosystem: Ecosystem;
    name: string;
    version: string;
}
/** One result for each package asked about, in their order; each (package, version) of a lockfile once. */
export interface Audit {
    results: AuditResult[];
    summary: AuditSummary;
    packages: AuditedPackages;
    licenses: AuditedLicenses | null;
    not_judged: NotJudged[];
    project: string | null;
}
/** What is known of one package in use. `unknown` is what nothing could be held against: it is not clean. */
export interface AuditResult {
    purl: string;
    status: "vulnerable" | "unknown" | "waived" | "clean";
    reason: string | null;
    here: "pending" | "approved" | "rejected" | "quarantined" | "unlisted" | "removed" | null;
    vulnerabilities: AuditedVulnerability[];
}
/** How many flaws of each severity that no waiver covers, and how many that one does. */
export interface AuditSummary {
    critical: number;
    high: number;
    medium: number;
    low: number;
    unknown: number;
    waived: number;
}
/** What the licenses of the packages mean for the work that takes them in. */
export interface AuditedLicenses {
    license: string;
    source: string;
    fine: number;
    unknown: number;
    clashes: LicenseClash[];
}
/** How many packages of each status. */
export interface AuditedPackages {
    total: number;
    vulnerable: number;
    unknown: number;
    waived: number;
    clean: number;
}
/** A flaw in a package in use. */
export interface AuditedVulnerability {
    id: string;
    kind: FindingKind;
    aliases: string[];
    severity: Severity;
    cvss: number | null;
    summary: string;
    package: string;
    version: string;
    fixed_in: string | null;
    url: string;
    tools: string[];
    waived: boolean;
    waiver: HonouredWaiver | null;
}
/** Every category with its count. */
export interface Categories {
    categories: CategoryCount[];
    total: number;
}
/** How many packages a category holds. */
export interface CategoryCount {
    category: string;
    count: number;
}
/** One automated verdict. */
export interface CheckRow {
    name: string;
    status: CheckState;
    summary: string;
    details: Record<string, unknown>;
    started_at: string | null;
    finished_at: string | null;
    duration_ms: number | null;
}
/** May a work under `outbound` take in code under `inbound`? */
export interface CompatibilityAnswer {
    word: "yes" | "check" | "unknown" | "no";
    outbound: string;
    inbound: string;
    explanation: string;
}
/** What the caller showed. */
export interface Credential {
    kind: "session" | "token" | "license";
    id: string | null;
    expiresAt: string | null;
}
/** Who decided, when, on which digest and why. */
export interface DecisionRow {
    by: string;
    at: string;
    reason: string;
    sha256: string;
    override: boolean;
}
/** Where the version will stand, and how soon. */
export interface Edge {
    region: string;
    deadline_seconds: number;
}
/** May I have this, and why not? */
export interface Explanation {
    purl: string;
    answer: Answer;
    verdicts: VerdictRow[];
    decision: DecisionRow | null;
    remedies: string[];
}
/** What was not taken, and why; where a whole upstream was not to be had, its name stands for the package. */
export interface Failure {
    package: string;
    error: string;
}
/** What one token was granted. */
export interface GrantRow {
    maintainer: boolean;
    download: boolean;
    upload: boolean;
    delete: boolean;
}
/** The waiver of the caller's project that covers a flaw now. */
export interface HonouredWaiver {
    id: number;
    until: string;
    reason: string;
}
/** A token in the only answer that ever shows its value. */
export interface IssuedToken {
    id: string;
    name: string;
    prefix: string;
    scopes: Scope[];
    project: string | null;
    createdAt: string;
    expiresAt: string;
    lastUsedAt: string | null;
    token: string;
}
/** A registered signing key. */
export interface SigningKey {
    id: number;
    name: string;
    algorithm: string;
    fingerprint: string;
    public_key: string;
    created_at: string;
    last_used_at: string | null;
}
/** Round trips of the last 60 probes, in milliseconds: a few bytes written, read back and removed. */
export interface Latency {
    last: number | null;
    p50: number | null;
    p95: number | null;
}
/** A key, to those who manage it. */
export interface License {
    id: string;
    name: string;
    key: string;
    constraint: LicenseConstraint;
    suspended: boolean;
    meta: Record<string, unknown>;
    packages: string[];
    createdAt: number;
    updatedAt: number;
}
/** A package whose license the work may not take in (no), or only depending on how it is used (check). */
export interface LicenseClash {
    purl: string;
    license: string;
    answer: "no" | "check";
    explanation: string;
}
/** What is known of a license or an expression, and what this instance's policy says to it. */
export interface LicenseFacts {
    name: string;
    full_name: string;
    status: "approved" | "review" | "denied";
    category: "public-domain" | "permissive" | "weak-copyleft" | "strong-copyleft" | "network-copyleft" | "non-commercial" | "source-available" | "proprietary" | "unknown";
    compatible_with: string[];
    incompatible_with: string[];
    may_take_in: string[];
    may_not_take_in: string[];
    to_be_checked: string[];
    compatibility_source: string | null;
    obligations: string[];
    obligations_explained: string[];
    obligations_source: string | null;
    requires_attribution: boolean | null;
    allows_commercial: boolean | null;
    url: string | null;
    osi_approved: boolean;
    fsf_libre: boolean | null;
    deprecated: boolean;
    successor: string | null;
    candidates: string[];
    pair: Pair | null;
}
/** A person who may publish. */
export interface Maintainer {
    username: string;
}
/** The caller. */
export interface Me {
    username: string | null;
    email: string | null;
    role: string | null;
    scopes: Scope[];
    project: string | null;
    tier: string | null;
    credential: Credential;
}
/** A key to be made. */
export interface NewLicense {
    name?: string;
    key?: string;
    constraint: LicenseConstraint;
    suspended?: boolean;
    meta?: Record<string, unknown>;
    packages: string[];
}
/** A product to be created. */
export interface NewProduct {
    name: string;
    keepVersions?: number | null;
    keepDays?: number | null;
}
/** A public key to be registered. */
export interface NewSigningKey {
    name: string;
    public_key: string;
}
/** A token to be made. */
export interface NewToken {
    name: string;
    expiresIn?: number;
    scopes?: Scope[];
    project?: string | null;
}
/** Something in a lockfile that names no package of a registry. */
export interface NotJudged {
    line: number | null;
    text: string;
    reason: string;
}
/** A whole package. */
export interface PackageDetail {
    name: string;
    version: string;
    ecosystem: Ecosystem;
    status: string;
    license: string;
    description: string;
    category: string;
    keywords: string[];
    downloads: number;
    updated_at: string;
    scope: string | null;
    homepage: string | null;
    repository: string | null;
    visibility: Visibility;
    project: string;
    maintainers: Maintainer[];
    submitted_by: string | null;
    submitted_at: string | null;
    approved_by: string | null;
    approved_at: string | null;
    dist_tags: Record<string, string>;
    versions: VersionRow[];
    dependencies: Record<string, string>;
    also_in: Ecosystem[];
    dependency_tree?: TreeNode | null;
}
/** A package in a list. */
export interface PackageRow {
    name: string;
    version: string;
    ecosystem: Ecosystem;
    status: string;
    license: string;
    description: string;
    category: string;
    keywords: string[];
    downloads: number;
    updated_at: string;
}
/** One page of packages. */
export interface PackagePage {
    total: number;
    limit: number;
    offset: number;
    page: number;
    pages: number;
    packages: PackageRow[];
}
/** Where the page stands. */
export interface Pagination {
    count: number;
    prev: number | null;
    next: number | null;
}
/** How two licenses get along, in both directions. */
export interface Pair {
    with: string;
    goes_into_it: CompatibilityAnswer;
    takes_it_in: CompatibilityAnswer;
}
/** A product: what each token may do, by the token's SHA-256, and its versions. */
export interface ProductFacts {
    name: string;
    tokens: Record<string, GrantRow>;
    versions: Record<string, ProductVersion>;
}
/** The name of a product. */
export interface ProductName {
    name: string;
}
/** What a token may do with a product. */
export interface ProductPermissions {
    maintainer?: boolean;
    download?: boolean;
    upload?: boolean;
    delete?: boolean;
}
/** A version that stands. */
export interface ProductUploaded {
    path: string;
    checksum: string;
    product: string;
    version: string;
}
/** Where a version's file stands below the products, and what it hashes to. */
export interface ProductVersion {
    path: string;
    checksum: string;
}
/** How far it is; the total grows while the upstream is listed. */
export interface Progress {
    total: number;
    done: number;
}
/** A version that was accepted and is being checked. */
export interface Published {
    name: string;
    version: string;
    ecosystem: Ecosystem;
    status: Status;
    integrity: string;
    sha256: string;
    size: number;
    signature: Signature | null;
    validation: Validation;
    edge: Edge;
}
/** Does this key open that version? */
export interface LicenseQuestion {
    key: string;
    package: string;
    version: string;
}
/** A run that was just asked for. */
export interface Queued {
    id: string;
    status: RunState;
    upstreams: string[];
}
/** A scan that waits for the worker. */
export interface QueuedScan {
    package: string;
    version: string;
    ecosystem: Ecosystem;
    status: ScanState;
    url: string;
}
/** What an advisory means here, and one page of who took it, the last taken first. */
export interface RecallPage {
    total: number;
    limit: number;
    offset: number;
    page: number;
    pages: number;
    advisory: string;
    known_as: string[];
    severity: Severity;
    summary: string;
    withdrawn: string | null;
    versions: RecalledVersion[];
    taken: RecallTaking[];
}
/** That one credential took one version. */
export interface RecallTaking {
    ecosystem: Ecosystem;
    name: string;
    version: string;
    project: string | null;
    user: string | null;
    credential: TakenWith;
    first_day: string;
    last_day: string;
    count: number;
    notified_at: string | null;
}
/** A version here that the advisory touches, and how far it got. */
export interface RecalledVersion {
    ecosystem: Ecosystem;
    name: string;
    version: string;
    status: string;
    removed: boolean;
    fixed_in: string | null;
    downloads: number;
    credentials: number;
}
/** One region. */
export interface RegionState {
    region: string;
    city: string;
    country: string;
    status: MirrorState;
    latency_ms: Latency;
    lag_seconds: number;
    pending: number;
    failed_packages: number;
    last_success_at: string | null;
}
/** All regions: `healthy` where each of them is, `down` where none answers (or none is set up). */
export interface RegionStates {
    status: MirrorState;
    checked_at: string;
    regions: RegionState[];
    failed_packages: number;
    pending: number;
    next_sync_window: string | null;
}
/** A rejection, with the reason that the submitter will read. */
export interface Rejection {
    reason: string;
    sha256?: string;
}
/** What an installer would choose. */
export interface Resolution {
    name: string;
    range: string;
    version: string;
    candidates: number;
}
/** The rule as it stands, and what would go by it if it were applied now. */
export interface Retained {
    keepVersions: number | null;
    keepDays: number | null;
    wouldGo: string[];
}
/** A run as it stands; the counts are of files, which most versions have one of. */
export interface Run {
    id: string;
    status: RunState;
    upstreams: string[];
    startedAt: string | null;
    finishedAt: string | null;
    progress: Progress;
    added: number;
    updated: number;
    skipped: number;
    failed: number;
    errors: Failure[];
}
/** The vulnerability check in short. */
export interface ScanCounts {
    status: CheckState;
    critical: number;
    high: number;
    medium: number;
    low: number;
    unknown: number;
}
/** The latest scan of a release. */
export interface ScanResult {
    package: string;
    version: string;
    ecosystem: Ecosystem;
    scan_date: string | null;
    status: ScanState;
    vulnerabilities: Vulnerability[];
    severity: SeverityCounts;
    tools_used: string[];
    tools_unavailable: string[];
    notes: Record<string, string>;
}
/** How many flaws of each severity, waived ones included. */
export interface SeverityCounts {
    critical: number;
    high: number;
    medium: number;
    low: number;
    unknown: number;
}
/** Who signed a file. */
export interface Signature {
    format: string;
    fingerprint: string;
    signer: string;
}
/** A third-party version asked for. */
export interface Submission {
    name: string;
    version: string;
    ecosystem: Ecosystem;
    license?: string;
    description?: string;
    homepage?: string;
    repository?: string;
    category?: Category;
    keywords?: string[];
    submitted_by?: string;
    note?: string;
}
/** A submission that waits for its checks and a decision. */
export interface Submitted {
    id: number;
    name: string;
    version: string;
    ecosystem: Ecosystem;
    status: Status;
    submitted_by: string | null;
    submitted_at: string;
    queued_scan: boolean;
    url: string;
}
/** What was shown at a download: never more than its name and beginning. */
export interface TakenWith {
    kind: "session" | "token" | "license";
    name: string | null;
    prefix: string | null;
}
/** A token as it is listed: without its value. */
export interface Token {
    id: string;
    name: string;
    prefix: string;
    scopes: Scope[];
    project: string | null;
    createdAt: string;
    expiresAt: string;
    lastUsedAt: string | null;
}
/** What is told of a token. */
export interface TokenFacts {
    token: string;
    admin: boolean;
}
/** A package in a dependency tree, and what it brings along. */
export interface TreeNode {
    name: string;
    version: string | null;
    range: string;
    status: string | null;
    circular?: boolean;
    unresolved?: boolean;
    repeated?: boolean;
    dependencies: TreeNode[];
}
/** A version that is gone from lists, and when its file goes. */
export interface Unlisted {
    name: string;
    version: string;
    status: "unlisted";
    unlisted_at: string;
    purge_at: string;
}
/** What the holder of a key may know of it: not its value again, and not what its seller keeps with it. */
export interface ValidLicense {
    id: string;
    name: string;
    constraint: LicenseConstraint;
    suspended: boolean;
    packages: string[];
    createdAt: number;
    updatedAt: number;
}
/** Where to watch the checks. */
export interface Validation {
    status: string;
    url: string;
}
/** The answer to a question. */
export interface Validity {
    valid: boolean;
    code: "VALID" | "NOT_FOUND" | "SUSPENDED" | "EXPIRED" | "VERSION_NOT_COVERED" | "PACKAGE_NOT_COVERED";
    license: ValidLicense | null;
}
/** What one gate says. */
export interface VerdictRow {
    gate: string;
    answer: Answer;
    code: string;
    reason: string;
    details_url: string;
}
/** One version with its checks, files and decision. */
export interface Version {
    version: string;
    status: Status;
    origin: "published" | "submitted" | "synced";
    published_at: string;
    license: string;
    size: number | null;
    integrity: string | null;
    sha256: string | null;
    shasum: string | null;
    dependencies: Record<string, string>;
    unlisted: boolean;
    purge_at: string | null;
    deprecated: string | null;
    signature: Signature | null;
    scan: ScanCounts;
    download_url: string | null;
    name: string;
    ecosystem: Ecosystem;
    project: string;
    submitted_by: string | null;
    submitted_at: string;
    unlisted_at: string | null;
    held_because: string | null;
    checks: CheckRow[];
    artifacts: ArtifactRow[];
    decision: DecisionRow | null;
}
/** The version that something was done to. */
export interface VersionNamed {
    product: string;
    version: string;
}
/** One version in the detail of its package. */
export interface VersionRow {
    version: string;
    status: Status;
    origin: "published" | "submitted" | "synced";
    published_at: string;
    license: string;
    size: number | null;
    integrity: string | null;
    sha256: string | null;
    shasum: string | null;
    dependencies: Record<string, string>;
    unlisted: boolean;
    purge_at: string | null;
    deprecated: string | null;
    signature: Signature | null;
    scan: ScanCounts;
    download_url: string | null;
}
/** One thing that is wrong, whatever number of tools saw it. */
export interface Vulnerability {
    id: string;
    kind: FindingKind;
    aliases: string[];
    severity: Severity;
    cvss: number | null;
    summary: string;
    package: string;
    version: string;
    fixed_in: string | null;
    url: string;
    tools: string[];
    waived: boolean;
}
/** A waiver: who answers for what, why, and until when. */
export interface WaiverRow {
    id: number;
    finding: string;
    ecosystem: Ecosystem;
    package: string;
    versions: string;
    project: string;
    reason: string;
    owner: string;
    status: "live" | "ended" | "expired";
    created_at: string;
    expires_at: string;
    ended_at: string | null;
}
/** One page of waivers, the last given first. */
export interface WaiverPage {
    total: number;
    limit: number;
    offset: number;
    page: number;
    pages: number;
    waivers: WaiverRow[];
}
/** Which release to scan again. */
export interface WantedScan {
    name: string;
    version?: string;
    ecosystem?: Ecosystem;
}
/** What a maintainer answers for, why, and until when. */
export interface WantedWaiver {
    finding: string;
    ecosystem: Ecosystem;
    package: string;
    versions: string;
    project?: string;
    reason: string;
    expires_at: string;
}
/** All of a key, in place of what it was. */
export interface WholeLicense {
    name: string;
    key: string;
    constraint: LicenseConstraint;
    suspended: boolean;
    meta?: Record<string, unknown>;
    packages: string[];
}
/** A page of sold keys; `next` is the `since` of the page after. */
export interface LicensePage {
    pagination: Pagination;
    data: License[];
}
/** One part that the portal stands on. */
export interface HealthPart {
    status: "ok" | "down";
    detail: string;
}
/** Whether the portal is well; `down` when any part is. */
export interface Health {
    status: "ok" | "down";
    database: HealthPart;
    cache: HealthPart;
    broker: HealthPart;
    storage: HealthPart;
    worker: HealthPart;
    mongo: string;
    redis: string;
}
/** An advisory in the OSV format. */
export interface Advisory {
    id: string;
    modified: string;
    [field: string]: unknown;
}
