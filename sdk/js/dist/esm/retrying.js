export const RETRIES = {
    attempts: 5,
    base: 250,
    cap: 10_000,
    longestRetryAfter: 60_000,
    random: Math.random,
};
const PASSING = new Set([0, 429, 500, 502, 503, 504]);
/** Whether asking again can help. What is not idempotent is asked again only where it was surely not done: 429. */
export function isWorthRetrying(problem, isIdempotent) {
    return isIdempotent ? PASSING.has(problem.statusCode) : problem.statusCode === 429;
}
/**
 * Milliseconds to wait after the try of this number (from 1): full jitter below an exponential bound, and not less
 * than Retry-After. Undefined when there is nothing to wait for: no try is left, or the portal asks for too long.
 */
export function waitAfter(attempt, policy, retryAfter) {
    if (attempt >= policy.attempts)
        return undefined;
    const jitter = policy.random() * Math.min(policy.cap, policy.base * 2 ** (attempt - 1));
    if (retryAfter === undefined)
        return jitter;
    const asked = retryAfter * 1000;
    return asked > policy.longestRetryAfter ? undefined : asked + policy.random() * policy.base;
}
/** Resolves after the time, or rejects with the signal's reason as soon as that aborts. */
export function pause(milliseconds, signal) {
    return new Promise((resolve, reject) => {
        if (signal?.aborted)
            return reject(signal.reason);
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
