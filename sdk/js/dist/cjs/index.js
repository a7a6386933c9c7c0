"use strict";
/** The client of a CodeSync Registry: for Node 18 or newer and for browsers. What needs Node is in `@codesync/sdk/node`. */
Object.defineProperty(exports, "__esModule", { value: true });
exports.CodeSyncError = exports.CodeSync = void 0;
const licenses_js_1 = require("./licenses.js");
const packages_js_1 = require("./packages.js");
const people_js_1 = require("./people.js");
const products_js_1 = require("./products.js");
const rotating_js_1 = require("./rotating.js");
const security_js_1 = require("./security.js");
const sync_js_1 = require("./sync.js");
const transport_js_1 = require("./transport.js");
/** One portal, as one credential sees it. */
class CodeSync {
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
        this.transport = new transport_js_1.Transport((0, transport_js_1.completed)(rest));
        this.packages = new packages_js_1.Packages(this.transport);
        this.security = new security_js_1.Security(this.transport);
        this.licenses = new licenses_js_1.Licenses(this.transport);
        this.tokens = new people_js_1.Tokens(this.transport);
        this.signingKeys = new people_js_1.SigningKeys(this.transport);
        this.sync = new sync_js_1.Sync(this.transport);
        this.products = new products_js_1.Products(this.transport);
        if (rotation) {
            const rotator = new rotating_js_1.Rotator(this.transport, rotation);
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
exports.CodeSync = CodeSync;
var errors_js_1 = require("./errors.js");
Object.defineProperty(exports, "CodeSyncError", { enumerable: true, get: function () { return errors_js_1.CodeSyncError; } });
