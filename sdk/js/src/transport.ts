import { CodeSyncError, errorOf } from "./errors.js";
import { isWorthRetrying, pause, RETRIES, waitAfter, type RetryPolicy } from "./retrying.js";

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
export type GivenOptions = Partial<Omit<TransportOptions, "retries">> & { baseUrl: string; retries?: Partial<RetryPolicy> };

/** Heeds every answer; see rotating.ts. */
export type Listener = (response: Response, token: string | undefined) => Promise<void>;

/** Sends requests, again where that helps, and turns every refusal into a CodeSyncError. */
export class Transport {
  token: string | undefined;
  listener: Listener | undefined;
  private readonly root: string;
  private readonly api: string;

  constructor(private readonly options: TransportOptions) {
    const given = options.baseUrl.replace(/\/+$/, "");
    if (!/^https?:\/\/[^/]/.test(given)) {
      throw new CodeSyncError({ error: `baseUrl is no http(s) address: “${options.baseUrl}”.`, statusCode: 0 });
    }
    this.root = given.replace(/(?:\/api)?\/v1$/, "");
    this.api = given === this.root ? `${given}/api/v1` : given;
    this.token = options.token;
  }

  /** The JSON of the answer. */
  json<T>(request: Request, call: CallOptions = {}): Promise<T> {
    return this.perform(request, call, (response) => parsed<T>(response));
  }

  /** The text of the answer. */
  text(request: Request, call: CallOptions = {}): Promise<string> {
    return this.perform(request, call, (response) => response.text());
  }

  /** Nothing but that it was done. */
  async done(request: Request, call: CallOptions = {}): Promise<void> {
    await this.perform(request, call, (response) => response.arrayBuffer());
  }

  /** The answer itself, its body not read yet. */
  answer(request: Request, call: CallOptions = {}): Promise<Response> {
    return this.perform({ ...request, isOpen: true }, call, async (response) => response);
  }

  private async perform<T>(request: Request, call: CallOptions, read: (response: Response) => Promise<T>): Promise<T> {
    const isIdempotent = request.isIdempotent ?? request.method !== "POST";
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.attempt(request, call, read);
      } catch (problem) {
        if (!(problem instanceof CodeSyncError)) throw problem;
        if (isStream(request.body) || !isWorthRetrying(problem, isIdempotent)) throw problem;
        const wait = waitAfter(attempt, this.options.retries, problem.retryAfter);
        if (wait === undefined) throw problem;
        await pause(wait, call.signal);
      }
    }
  }

  private async attempt<T>(request: Request, call: CallOptions, read: (response: Response) => Promise<T>): Promise<T> {
    const url = this.address(request);
    const token = this.token;
    const limit = deadline(call.signal, call.timeout ?? (request.body === undefined ? this.options.timeout : 0));
    try {
      const response = await this.options.fetch(url, this.initial(request, call, token, limit.signal));
      if (request.isOpen) limit.stop();
      const isGood = response.ok || request.accepted?.includes(response.status);
      if (!isGood) throw await errorOf(response, request.method, shown(url));
      const answer = await read(response);
      if (!request.isUnwatched) await this.listener?.(response, token);
      return answer;
    } catch (problem) {
      limit.unfollow();
      if (call.signal?.aborted) throw call.signal.reason;
      if (problem instanceof CodeSyncError) throw problem;
      throw unanswered(problem, request.method, shown(url));
    } finally {
      limit.stop();
      if (!request.isOpen) limit.unfollow();
    }
  }

  private address(request: Request): string {
    const query = Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, String(value)])).toString();
    return (request.isAtRoot ? this.root : this.api) + request.path + (search && `?${search}`);
  }

  private initial(request: Request, call: CallOptions, token: string | undefined, signal: AbortSignal): RequestInit {
    const headers: Record<string, string> = { Accept: "application/json, */*;q=0.8", ...this.options.headers };
    if (token) headers["Authorization"] = `Bearer ${token}`;
    const project = call.project ?? this.options.project;
    if (project) headers["X-Project-ID"] = project;
    const initial: RequestInit & { duplex?: "half" } = { method: request.method, headers, signal };
    if (request.json !== undefined) {
      headers["Content-Type"] = "application/json";
      initial.body = JSON.stringify(request.json);
    } else if (request.body !== undefined) {
      initial.body = request.body as BodyInit;
      if (isStream(request.body)) initial.duplex = "half";
    }
    Object.assign(headers, request.headers);
    return initial;
  }
}

/** The options of a transport, with what was left out. */
export function completed(given: GivenOptions): TransportOptions {
  return {
    ...given,
    fetch: given.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    retries: { ...RETRIES, ...given.retries },
    timeout: given.timeout ?? 60_000,
    headers: given.headers ?? {},
  };
}

/** One path segment. Refuses what an address would swallow. */
export function segment(value: string | number): string {
  const text = String(value);
  if (text === "" || text === "." || text === "..") {
    throw new CodeSyncError({ error: `“${text}” can be no part of an address.`, statusCode: 0 });
  }
  return encodeURIComponent(text);
}

/** The address as an error may show it: two routes carry a token in it. */
function shown(url: string): string {
  return url.replace(/sk_live_\w+/g, "sk_live_…");
}

/** The answer's JSON; who says something else with a success is no portal, and will not be one at the next try. */
async function parsed<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const url = shown(response.url);
    const error = `${url} answered ${response.status} with something else than JSON. Check baseUrl.`;
    throw new CodeSyncError({ error, statusCode: response.status, url, cause });
  }
}

function isStream(body: Request["body"]): boolean {
  return typeof ReadableStream !== "undefined" && body instanceof ReadableStream;
}

function unanswered(cause: unknown, method: string, url: string): CodeSyncError {
  const isLate = cause instanceof Error && cause.name === "TimeoutError";
  const why = isLate ? "in time" : `(${reasonOf(cause)})`;
  return new CodeSyncError({ error: `No whole answer came from ${url} ${why}.`, statusCode: 0, method, url, cause });
}

function reasonOf(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem);
  return problem.cause instanceof Error ? problem.cause.message || problem.message : problem.message;
}

interface Deadline {
  signal: AbortSignal;
  stop: () => void;
  unfollow: () => void;
}

/** A signal that follows the caller's, and ends by itself after the time (0: never) unless it is stopped. */
function deadline(given: AbortSignal | undefined, timeout: number): Deadline {
  const controller = new AbortController();
  const follow = () => controller.abort(given?.reason);
  if (given?.aborted) follow();
  given?.addEventListener("abort", follow, { once: true });
  const late = () => controller.abort(new DOMException("The time for one try is over.", "TimeoutError"));
  const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
  return {
    signal: controller.signal,
    stop: () => clearTimeout(timer),
    unfollow: () => given?.removeEventListener("abort", follow),
  };
}
