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
export declare class CodeSyncError extends Error {
    readonly statusCode: number;
    readonly error: string;
    readonly details: Record<string, unknown>;
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly retryAfter: number | undefined;
    constructor(problem: Problem);
}
/** The error that an answer carries; what a proxy says in HTML becomes its status line. */
export declare function errorOf(response: Response, method: string, url: string): Promise<CodeSyncError>;
/** Seconds from a Retry-After header, which is a number of them or an HTTP date. */
export declare function secondsOf(header: string | null, now?: number): number | undefined;
