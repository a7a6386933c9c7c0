import { type RetryPolicy } from "./retrying.js";
/** What bytes may be sent as. A stream is sent once: a request with one is never tried again. */
export type Bytes = Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;
type Query = Record<string, string | number | boolean | undefined | null>;
/** What every call takes beside its own arguments. */
export interface CallOptions {
    /** Ends the call, its waits between tries included; the call rejects with the signal's reason. */
    signal?: AbortSignal;
    /** Milliseconds for one try; 0 for no limit. Uploads have none unless given, downloads up to their first byte. */
    timeout?: number;
    /** The project (tenant) to act in, instead of the client's. */
    project?: string;
}
export interface Request {
    method: string;
    path: string;
    /** The path stands at the portal's root, not below /api/v1. */
    isAtRoot?: boolean;
    query?: Query;
    json?: unknown;
    body?: Bytes | FormData;
    headers?: Record<string, string>;
    /** Whether doing it twice is the same as doing it once; by default so for every method but POST. */
    isIdempotent?: boolean;
    /** Statuses that are an answer here, though no success in general. */
    accepted?: number[];
    /** The caller reads the body: its signal counts until that is done. */
    isOpen?: boolean;
    /** The listener is not told of the answer. */
    isUnwatched?: boolean;
}
export interface TransportOptions {
    baseUrl: string;
    token?: string;
    project?: string;
    fetch: typeof fetch;
    retries: RetryPolicy;
    timeout: number;
    headers: Record<string, string>;
}
/** The same as the caller gives them: everything but the address may be left out. */
export type GivenOptions = Partial<Omit<TransportOptions, "retries">> & {
    baseUrl: string;
    retries?: Partial<RetryPolicy>;
};
/** Heeds every answer; see rotating.ts. */
export type Listener = (response: Response, token: string | undefined) => Promise<void>;
/** Sends requests, again where that helps, and turns every refusal into a CodeSyncError. */
export declare class Transport {
    private readonly options;
    token: string | undefined;
    listener: Listener | undefined;
    private readonly root;
    private readonly api;
    constructor(options: TransportOptions);
    /** The JSON of the answer. */
    json<T>(request: Request, call?: CallOptions): Promise<T>;
    /** The text of the answer. */
    text(request: Request, call?: CallOptions): Promise<string>;
    /** Nothing but that it was done. */
    done(request: Request, call?: CallOptions): Promise<void>;
    /** The answer itself, its body not read yet. */
    answer(request: Request, call?: CallOptions): Promise<Response>;
    private perform;
    private attempt;
    private address;
    private initial;
}
/** The options of a transport, with what was left out. */
export declare function completed(given: GivenOptions): TransportOptions;
/** One path segment. Refuses what an address would swallow. */
export declare function segment(value: string | number): string;
export {};
