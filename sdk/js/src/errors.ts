/** What went wrong, for programs and for people. */
export interface Problem {
  /** A sentence that its reader can act on. */
  error: string;
  /** The HTTP status, or 0 where no answer came or the mistake was found before asking. */
  statusCode: number;
  /** More by field or by gate; always an object. */
  details?: Record<string, unknown>;
  method?: string;
  url?: string;
  /** Seconds after which the portal wants to be asked again. */
  retryAfter?: number;
  cause?: unknown;
}

/** The one error of this package: an answer that says no, no answer at all, or a signature that does not hold. */
export class CodeSyncError extends Error {
  readonly statusCode: number;
  readonly error: string;
  readonly details: Record<string, unknown>;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(problem: Problem) {
    super(problem.error, problem.cause === undefined ? undefined : { cause: problem.cause });
    this.name = "CodeSyncError";
    this.error = problem.error;
    this.statusCode = problem.statusCode;
    this.details = problem.details ?? {};
    this.method = problem.method;
    this.url = problem.url;
    this.retryAfter = problem.retryAfter;
  }
}

/** The error that an answer carries; what a proxy says in HTML becomes its status line. */
export async function errorOf(response: Response, method: string, url: string): Promise<CodeSyncError> {
  const said = shapeOf(await response.text().catch(() => ""));
  return new CodeSyncError({
    error: said.error ?? `The portal answered ${response.status} ${response.statusText}`.trimEnd() + ".",
    statusCode: response.status,
    details: said.details ?? {},
    method,
    url,
    retryAfter: secondsOf(response.headers.get("Retry-After")),
  });
}

/** Seconds from a Retry-After header, which is a number of them or an HTTP date. */
export function secondsOf(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const instant = Date.parse(header);
  return Number.isNaN(instant) ? undefined : Math.max(0, (instant - now) / 1000);
}

function shapeOf(text: string): { error?: string; details?: Record<string, unknown> } {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== "object" || said === null) return {};
    const { error, details } = said as Record<string, unknown>;
    return {
      ...(typeof error === "string" ? { error } : {}),
      ...(typeof details === "object" && details !== null ? { details: details as Record<string, unknown> } : {}),
    };
  } catch {
    return {};
  }
}
