import type { CodeSyncError } from "./errors.js";
/** How often and how long to try; times in milliseconds. */
export interface RetryPolicy {
    /** Tries in all, the first one included. 1 switches retries off. */
    attempts: number;
    /** The bound of the first wait; it doubles with each try. */
    base: number;
    /** No wait by our own choice is longer. */
    cap: number;
    /** A portal that asks for a longer wait (Retry-After) is not waited for: its error is thrown at once. */
    longestRetryAfter: number;
    /** A number from 0 up to 1, for the jitter. */
    random: () => number;
}
export declare const RETRIES: RetryPolicy;
/** Whether asking again can help. What is not idempotent is asked again only where it was surely not done: 429. */
export declare function isWorthRetrying(problem: CodeSyncError, isIdempotent: boolean): boolean;
/**
 * Milliseconds to wait after the try of this number (from 1): full jitter below an exponential bound, and not less
 * than Retry-After. Undefined when there is nothing to wait for: no try is left, or the portal asks for too long.
 */
export declare function waitAfter(attempt: number, policy: RetryPolicy, retryAfter?: number): number | undefined;
/** Resolves after the time, or rejects with the signal's reason as soon as that aborts. */
export declare function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void>;
