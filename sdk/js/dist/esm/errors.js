/** The one error of this package: an answer that says no, no answer at all, or a signature that does not hold. */
export class CodeSyncError extends Error {
    statusCode;
    error;
    details;
    method;
    url;
    retryAfter;
    constructor(problem) {
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
export async function errorOf(response, method, url) {
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
export function secondsOf(header, now = Date.now()) {
    if (header === null)
        return undefined;
    if (/^\d+$/.test(header.trim()))
        return Number(header);
    const instant = Date.parse(header);
    return Number.isNaN(instant) ? undefined : Math.max(0, (instant - now) / 1000);
}
function shapeOf(text) {
    try {
        const said = JSON.parse(text);
        if (typeof said !== "object" || said === null)
            return {};
        const { error, details } = said;
        return {
            ...(typeof error === "string" ? { error } : {}),
            ...(typeof details === "object" && details !== null ? { details: details } : {}),
        };
    }
    catch {
        return {};
    }
}
