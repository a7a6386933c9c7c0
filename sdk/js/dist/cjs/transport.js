"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Transport = void 0;
exports.completed = completed;
exports.segment = segment;
const errors_js_1 = require("./errors.js");
const retrying_js_1 = require("./retrying.js");
/** Sends requests, again where that helps, and turns every refusal into a CodeSyncError. */
class Transport {
    options;
    token;
    listener;
    root;
    api;
    constructor(options) {
        this.options = options;
        const given = options.baseUrl.replace(/\/+$/, "");
        if (!/^https?:\/\/[^/]/.test(given)) {
            throw new errors_js_1.CodeSyncError({ error: `baseUrl is no http(s) address: “${options.baseUrl}”.`, statusCode: 0 });
        }
        this.root = given.replace(/(?:\/api)?\/v1$/, "");
        this.api = given === this.root ? `${given}/api/v1` : given;
        this.token = options.token;
    }
    /** The JSON of the answer. */
    json(request, call = {}) {
        return this.perform(request, call, (response) => parsed(response));
    }
    /** The text of the answer. */
    text(request, call = {}) {
        return this.perform(request, call, (response) => response.text());
    }
    /** Nothing but that it was done. */
    async done(request, call = {}) {
        await this.perform(request, call, (response) => response.arrayBuffer());
    }
    /** The answer itself, its body not read yet. */
    answer(request, call = {}) {
        return this.perform({ ...request, isOpen: true }, call, async (response) => response);
    }
    async perform(request, call, read) {
        const isIdempotent = request.isIdempotent ?? request.method !== "POST";
        for (let attempt = 1;; attempt += 1) {
            try {
                return await this.attempt(request, call, read);
            }
            catch (problem) {
                if (!(problem instanceof errors_js_1.CodeSyncError))
                    throw problem;
                if (isStream(request.body) || !(0, retrying_js_1.isWorthRetrying)(problem, isIdempotent))
                    throw problem;
                const wait = (0, retrying_js_1.waitAfter)(attempt, this.options.retries, problem.retryAfter);
                if (wait === undefined)
                    throw problem;
                await (0, retrying_js_1.pause)(wait, call.signal);
            }
        }
    }
    async attempt(request, call, read) {
        const url = this.address(request);
        const token = this.token;
        const limit = deadline(call.signal, call.timeout ?? (request.body === undefined ? this.options.timeout : 0));
        try {
            const response = await this.options.fetch(url, this.initial(request, call, token, limit.signal));
            if (request.isOpen)
                limit.stop();
            const isGood = response.ok || request.accepted?.includes(response.status);
            if (!isGood)
                throw await (0, errors_js_1.errorOf)(response, request.method, shown(url));
            const answer = await read(response);
            if (!request.isUnwatched)
                await this.listener?.(response, token);
            return answer;
        }
        catch (problem) {
            limit.unfollow();
            if (call.signal?.aborted)
                throw call.signal.reason;
            if (problem instanceof errors_js_1.CodeSyncError)
                throw problem;
            throw unanswered(problem, request.method, shown(url));
        }
        finally {
            limit.stop();
            if (!request.isOpen)
                limit.unfollow();
        }
    }
    address(request) {
        const query = Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined && value !== null);
        const search = new URLSearchParams(query.map(([name, value]) => [name, String(value)])).toString();
        return (request.isAtRoot ? this.root : this.api) + request.path + (search && `?${search}`);
    }
    initial(request, call, token, signal) {
        const headers = { Accept: "application/json, */*;q=0.8", ...this.options.headers };
        if (token)
            headers["Authorization"] = `Bearer ${token}`;
        const project = call.project ?? this.options.project;
        if (project)
            headers["X-Project-ID"] = project;
        const initial = { method: request.method, headers, signal };
        if (request.json !== undefined) {
            headers["Content-Type"] = "application/json";
            initial.body = JSON.stringify(request.json);
        }
        else if (request.body !== undefined) {
            initial.body = request.body;
            if (isStream(request.body))
                initial.duplex = "half";
        }
        Object.assign(headers, request.headers);
        return initial;
    }
}
exports.Transport = Transport;
/** The options of a transport, with what was left out. */
function completed(given) {
    return {
        ...given,
        fetch: given.fetch ?? ((input, init) => globalThis.fetch(input, init)),
        retries: { ...retrying_js_1.RETRIES, ...given.retries },
        timeout: given.timeout ?? 60_000,
        headers: given.headers ?? {},
    };
}
/** One path segment. Refuses what an address would swallow. */
function segment(value) {
    const text = String(value);
    if (text === "" || text === "." || text === "..") {
        throw new errors_js_1.CodeSyncError({ error: `“${text}” can be no part of an address.`, statusCode: 0 });
    }
    return encodeURIComponent(text);
}
/** The address as an error may show it: two routes carry a token in it. */
function shown(url) {
    return url.replace(/sk_live_\w+/g, "sk_live_…");
}
/** The answer's JSON; who says something else with a success is no portal, and will not be one at the next try. */
async function parsed(response) {
    const text = await response.text();
    try {
        return JSON.parse(text);
    }
    catch (cause) {
        const url = shown(response.url);
        const error = `${url} answered ${response.status} with something else than JSON. Check baseUrl.`;
        throw new errors_js_1.CodeSyncError({ error, statusCode: response.status, url, cause });
    }
}
function isStream(body) {
    return typeof ReadableStream !== "undefined" && body instanceof ReadableStream;
}
function unanswered(cause, method, url) {
    const isLate = cause instanceof Error && cause.name === "TimeoutError";
    const why = isLate ? "in time" : `(${reasonOf(cause)})`;
    return new errors_js_1.CodeSyncError({ error: `No whole answer came from ${url} ${why}.`, statusCode: 0, method, url, cause });
}
function reasonOf(problem) {
    if (!(problem instanceof Error))
        return String(problem);
    return problem.cause instanceof Error ? problem.cause.message || problem.message : problem.message;
}
/** A signal that follows the caller's, and ends by itself after the time (0: never) unless it is stopped. */
function deadline(given, timeout) {
    const controller = new AbortController();
    const follow = () => controller.abort(given?.reason);
    if (given?.aborted)
        follow();
    given?.addEventListener("abort", follow, { once: true });
    const late = () => controller.abort(new DOMException("The time for one try is over.", "TimeoutError"));
    const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
    return {
        signal: controller.signal,
        stop: () => clearTimeout(timer),
        unfollow: () => given?.removeEventListener("abort", follow),
    };
}
