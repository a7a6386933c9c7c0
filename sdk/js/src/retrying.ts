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

export const RETRIES: RetryPolicy = {
  attempts: 5,
  base: 250,
  cap: 10_000,
  longestRetryAfter: 60_000,
  random: Math.random,
};

const PASSING = new Set([0, 429, 500, 502, 503, 504]);

/** Whether asking again can help. What is not idempotent is asked again only where it was surely not done: 429. */
export function isWorthRetrying(problem: CodeSyncError, isIdempotent: boolean): boolean {
  return isIdempotent ? PASSING.has(problem.statusCode) : problem.statusCode === 429;
}

/**
 * Milliseconds to wait after the try of this number (from 1): full jitter below an exponential bound, and not less
 * than Retry-After. Undefined when there is nothing to wait for: no try is left, or the portal asks for too long.
 */
export function waitAfter(attempt: number, policy: RetryPolicy, retryAfter?: number): number | undefined {
  if (attempt >= policy.attempts) return undefined;
  const jitter = policy.random() * Math.min(policy.cap, policy.base * 2 ** (attempt - 1));
  if (retryAfter === undefined) return jitter;
  const asked = retryAfter * 1000;
  return asked > policy.longestRetryAfter ? undefined : asked + policy.random() * policy.base;
}

/** Resolves after the time, or rejects with the signal's reason as soon as that aborts. */
export function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
