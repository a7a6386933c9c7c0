import { CodeSyncError } from "./errors.js";
import { segment } from "./transport.js";
const DAY = 86_400_000;
const AGAIN = 60_000;
/** Watches the end of the token on every answer (X-Token-Expires-At) and rotates once, however many calls see it. */
export class Rotator {
    transport;
    rotation;
    underWay;
    unsaved;
    notBefore = 0;
    seen;
    constructor(transport, rotation) {
        this.transport = transport;
        this.rotation = rotation;
    }
    /** To be called with every answer; never rejects. */
    async heed(response, token) {
        if (token === undefined || token !== this.transport.token)
            return;
        if (token !== this.seen)
            [this.seen, this.notBefore] = [token, 0];
        const now = Date.parse(response.headers.get("Date") ?? "") || Date.now();
        const left = Date.parse(response.headers.get("X-Token-Expires-At") ?? "") - now;
        const isDue = left <= this.before && now >= this.notBefore;
        if (!isDue && this.unsaved === undefined)
            return;
        this.underWay ??= this.renew(now, token).finally(() => (this.underWay = undefined));
        await this.underWay;
    }
    get before() {
        return (this.rotation.daysBefore ?? 7) * DAY;
    }
    async renew(now, token) {
        try {
            if (this.unsaved === undefined)
                await this.rotate(now);
            await this.save(token);
        }
        catch (problem) {
            const isFinal = problem instanceof CodeSyncError && [403, 404, 409].includes(problem.statusCode);
            if (this.unsaved === undefined)
                this.notBefore = isFinal ? Infinity : now + AGAIN;
            this.rotation.onError?.(problem);
        }
    }
    /** Asks for the successor, unless the token is still in the first half of a short life. */
    async rotate(now) {
        const own = await this.own();
        if (own === undefined) {
            this.notBefore = Infinity; // a sold key or a session: nothing to rotate
            return;
        }
        const end = Date.parse(own.expiresAt);
        const due = Math.max(end - this.before, end - (end - Date.parse(own.createdAt)) / 2);
        if (now < due) {
            this.notBefore = due;
            return;
        }
        const json = { overlapHours: this.rotation.overlapHours ?? 24 };
        this.unsaved = await this.ask("POST", `/tokens/${segment(own.id)}/rotate`, json);
    }
    async own() {
        const me = await this.ask("GET", "/me");
        if (me.credential.kind !== "token")
            return undefined;
        const { tokens } = await this.ask("GET", "/tokens");
        return tokens.find((token) => token.id === me.credential.id);
    }
    async save(token) {
        if (this.unsaved === undefined)
            return;
        const successor = this.unsaved;
        try {
            await this.rotation.onRotate(successor);
            this.unsaved = undefined;
        }
        finally {
            if (this.transport.token === token)
                this.transport.token = successor.token;
        }
    }
    /** By the token itself, past the watch over answers. */
    ask(method, path, json) {
        return this.transport.json({ method, path, json, isUnwatched: true });
    }
}
