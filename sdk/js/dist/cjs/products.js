"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Products = void 0;
const transport_js_1 = require("./transport.js");
/** Versioned build artifacts with permissions per token (contract section 10). */
class Products {
    transport;
    constructor(transport) {
        this.transport = transport;
    }
    /** Makes a token; the answer is its value. Admins only. */
    register(admin = false, call) {
        return this.transport.text({ ...at("PUT", "/register", { admin }), isIdempotent: false }, call);
    }
    /** What a token is. */
    token(token, call) {
        return this.transport.json(at("GET", `/fetch/${(0, transport_js_1.segment)(token)}`), call);
    }
    /** Removes a token. */
    prune(token, call) {
        return this.transport.done(at("DELETE", `/prune/${(0, transport_js_1.segment)(token)}`), call);
    }
    /** The names of the products that the caller may reach. */
    list(call) {
        return this.transport.json(at("GET", "/product/access"), call);
    }
    create(product, call) {
        return this.transport.json({ ...at("PUT", "/product/create", product), isIdempotent: false }, call);
    }
    get(product, call) {
        return this.transport.json(at("GET", `/product/fetch/${(0, transport_js_1.segment)(product)}`), call);
    }
    delete(product, call) {
        return this.transport.done(at("DELETE", `/product/delete/${(0, transport_js_1.segment)(product)}`), call);
    }
    /** Lets a token do something with a product, or changes what it may. */
    grant(product, token, permissions, call) {
        return this.transport.json(at("PUT", "/product/modify/addToken", { product, token, permissions }), call);
    }
    /** Takes a token from a product: its value, or its digest. */
    revoke(product, token, call) {
        return this.transport.done(at("DELETE", "/product/modify/deleteToken", { product, token }), call);
    }
    /** How many versions to keep, and for how many days; null for no limit. */
    retain(product, keep, call) {
        return this.transport.json(at("PUT", "/product/modify/setRetention", { product, ...keep }), call);
    }
    /** Keeps a version whatever the retention says. */
    pin(product, version, call) {
        return this.transport.json(at("PUT", "/product/modify/pinVersion", { product, version }), call);
    }
    unpin(product, version, call) {
        return this.transport.json(at("DELETE", "/product/modify/unpinVersion", { product, version }), call);
    }
    deleteVersion(product, version, call) {
        return this.transport.done(at("DELETE", `/product/delete/${(0, transport_js_1.segment)(product)}/${(0, transport_js_1.segment)(version)}`), call);
    }
    upload(product, version, file, filename, call) {
        const body = new FormData();
        body.append("product", product);
        body.append("version", version);
        body.append("file", file, filename);
        return this.transport.json({ method: "POST", path: "/product/upload", isAtRoot: true, body }, call);
    }
    /** A version's file; its bytes are the answer's body. */
    download(product, version, options = {}) {
        const { range, ...call } = options;
        const headers = range === undefined ? {} : { Range: range };
        return this.transport.answer({ ...at("GET", `/product/download/${(0, transport_js_1.segment)(product)}/${(0, transport_js_1.segment)(version)}`), headers }, call);
    }
}
exports.Products = Products;
function at(method, path, json) {
    return { method, path, isAtRoot: true, json };
}
