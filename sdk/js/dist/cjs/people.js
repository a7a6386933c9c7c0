"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.SigningKeys = exports.Tokens = void 0;
const transport_js_1 = require("./transport.js");
/** API tokens (contract section 5). */
class Tokens {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    async list(call) {
        return (await this.transport.json({ method: "GET", path: "/tokens" }, call)).tokens;
    }
    /** The only time that the new token's value is shown. Needs the scope `admin`. */
    create(wanted, call) {
        return this.transport.json({ method: "POST", path: "/tokens", json: wanted }, call);
    }
    /** Stops a token at once. */
    revoke(id, call) {
        return this.transport.done({ method: "DELETE", path: `/tokens/${(0, transport_js_1.segment)(id)}` }, call);
    }
    /** A successor; the old token works until the overlap ends. The client goes on with the token that it has. */
    rotate(id, overlapHours = 24, call) {
        return this.transport.json({ method: "POST", path: `/tokens/${(0, transport_js_1.segment)(id)}/rotate`, json: { overlapHours } }, call);
    }
}
exports.Tokens = Tokens;
/** SSH keys that sign packages (contract section 4). No token may add one: that needs a signed-in session. */
class SigningKeys {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    async list(call) {
        const answer = await this.transport.json({ method: "GET", path: "/signing-keys" }, call);
        return answer.signing_keys;
    }
    add(key, call) {
        return this.transport.json({ method: "POST", path: "/signing-keys", json: key }, call);
    }
    remove(id, call) {
        return this.transport.done({ method: "DELETE", path: `/signing-keys/${(0, transport_js_1.segment)(id)}` }, call);
    }
}
exports.SigningKeys = SigningKeys;
