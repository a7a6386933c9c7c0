/** The client of a CodeSync Registry: for Node 18 or newer and for browsers. What needs Node is in `@codesync/sdk/node`. */
import { Licenses } from "./licenses.js";
import { Packages } from "./packages.js";
import { SigningKeys, Tokens } from "./people.js";
import { Products } from "./products.js";
import { Rotator } from "./rotating.js";
import { Security } from "./security.js";
import { Sync } from "./sync.js";
import { completed, Transport } from "./transport.js";
/** One portal, as one credential sees it. */
export class CodeSync {
    packages;
    security;
    licenses;
    tokens;
    signingKeys;
    sync;
    products;
    transport;
    constructor(options) {
        const { rotation, ...rest } = options;
        this.transport = new Transport(completed(rest));
        this.packages = new Packages(this.transport);
        this.security = new Security(this.transport);
        this.licenses = new Licenses(this.transport);
        this.tokens = new Tokens(this.transport);
        this.signingKeys = new SigningKeys(this.transport);
        this.sync = new Sync(this.transport);
        this.products = new Products(this.transport);
        if (rotation) {
            const rotator = new Rotator(this.transport, rotation);
            this.transport.listener = (response, token) => rotator.heed(response, token);
        }
    }
    /** The credential in use; after a rotation, the successor. */
    get token() {
        return this.transport.token;
    }
    set token(token) {
        this.transport.token = token;
    }
    /** Who the credential stands for. */
    me(call) {
        return this.transport.json({ method: "GET", path: "/me" }, call);
    }
    /** How the portal's parts are; resolves too when it is down and says so (503). */
    health(call) {
        return this.transport.json({ method: "GET", path: "/health", isAtRoot: true, accepted: [503] }, call);
    }
}
export { CodeSyncError } from "./errors.js";
