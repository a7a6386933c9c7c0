"use strict";
/** What needs Node: SSH signatures over archives, as `ssh-keygen -Y sign -n codesync` makes them (PROTOCOL.sshsig). */
Object.defineProperty(exports, "__esModule", { value: true });
exports.sign = sign;
exports.signed = signed;
exports.append = append;
exports.split = split;
exports.header = header;
exports.publicKeyOf = publicKeyOf;
exports.verify = verify;
const node_crypto_1 = require("node:crypto");
const keys_js_1 = require("./keys.js");
const wire_js_1 = require("./wire.js");
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";
const MAGIC = "SSHSIG";
const NAMESPACE = "codesync";
const LARGEST = 16 * 1024;
/** The armored signature over an archive, by an Ed25519 private key: OpenSSH's format or PEM, as text. */
async function sign(archive, privateKey, options = {}) {
    const { namespace = NAMESPACE, hash = "sha512", passphrase } = options;
    const pair = (0, keys_js_1.readPrivateKey)(privateKey, passphrase);
    const message = signedBytes(namespace, hash, await digest(archive, hash));
    const value = Buffer.concat([(0, wire_js_1.field)("ssh-ed25519"), (0, wire_js_1.field)((0, node_crypto_1.sign)(null, message, pair.privateKey))]);
    const version = Buffer.from([0, 0, 0, 1]);
    const fields = [pair.publicBlob, namespace, "", hash, value].map((one) => (0, wire_js_1.field)(one));
    return armored(Buffer.concat([Buffer.from(MAGIC), version, ...fields]));
}
/** The archive with its signature after its last byte: one body that carries both. */
async function signed(archive, privateKey, options = {}) {
    return append(archive, await sign(archive, privateKey, options));
}
/** The same with a signature that exists. */
function append(archive, signature) {
    const tail = new TextEncoder().encode(signature);
    const whole = new Uint8Array(archive.length + tail.length);
    whole.set(archive);
    whole.set(tail, archive.length);
    return whole;
}
/** An archive and the signature that stands after its last byte; `signature` is undefined when none does. */
function split(bytes) {
    const from = Math.max(0, bytes.length - LARGEST);
    const tail = Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from).toString("latin1");
    const start = tail.lastIndexOf(BEGIN);
    if (start < 0 || !tail.trimEnd().endsWith(END))
        return { archive: bytes, signature: undefined };
    return { archive: bytes.subarray(0, from + start), signature: tail.slice(start) };
}
/** What the `X-Signature` header takes. */
function header(signature) {
    return Buffer.from(signature, "latin1").toString("base64");
}
/** The public line of a private key, to be registered on the profile page. */
function publicKeyOf(privateKey, passphrase) {
    return (0, keys_js_1.publicLine)((0, keys_js_1.readPrivateKey)(privateKey, passphrase).publicBlob);
}
/** Verifies offline; throws a CodeSyncError unless the signature holds and is by a key that is trusted. */
async function verify(archive, signature, options) {
    const { namespace = NAMESPACE, trusted } = options;
    const found = read(signature);
    if (found.namespace !== namespace)
        throw (0, wire_js_1.unusable)(`The signature is for “${found.namespace}”, not for “${namespace}”.`);
    const message = signedBytes(namespace, found.hash, await digest(archive, found.hash));
    if (!holds(found, message))
        throw (0, wire_js_1.unusable)("The signature does not fit this archive.");
    const said = {
        publicKey: (0, keys_js_1.publicLine)(found.key),
        fingerprint: (0, keys_js_1.fingerprint)(found.key),
        algorithm: new wire_js_1.Reader(found.key).text(),
        hash: found.hash,
        namespace,
    };
    if (!trusted.some((one) => one.trim() === said.fingerprint || isSameKey(one, said.publicKey))) {
        throw (0, wire_js_1.unusable)(`The signature holds, but nobody trusted made it: ${said.fingerprint}.`);
    }
    return said;
}
function read(signature) {
    const match = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/.exec(signature);
    if (signature.length > LARGEST || match === null)
        throw (0, wire_js_1.unusable)("This is no armored SSH signature.");
    const reader = new wire_js_1.Reader(Buffer.from(match[1], "base64"));
    if (reader.take(MAGIC.length).toString("latin1") !== MAGIC || reader.number() !== 1) {
        throw (0, wire_js_1.unusable)("The signature is of no version that is known here.");
    }
    const key = reader.string();
    const namespace = reader.text();
    reader.string();
    const hash = reader.text();
    const value = reader.string();
    reader.end();
    if (hash !== "sha512" && hash !== "sha256")
        throw (0, wire_js_1.unusable)("The signature's hash is neither sha512 nor sha256.");
    return { key, namespace, hash, value };
}
function holds(found, message) {
    try {
        return (0, keys_js_1.isSignedBy)(found.key, found.value, message);
    }
    catch (problem) {
        throw (0, wire_js_1.unusable)(`The signature cannot be used: ${problem.message}`, problem);
    }
}
function signedBytes(namespace, hash, digested) {
    return Buffer.concat([Buffer.from(MAGIC), ...[namespace, "", hash, digested].map((one) => (0, wire_js_1.field)(one))]);
}
async function digest(archive, hash) {
    const state = (0, node_crypto_1.createHash)(hash);
    if (archive instanceof Uint8Array)
        return state.update(archive).digest();
    for await (const chunk of archive)
        state.update(chunk);
    return state.digest();
}
function armored(blob) {
    const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
    return [BEGIN, ...lines, END, ""].join("\n");
}
function isSameKey(line, publicKey) {
    return line.trim().split(/\s+/).slice(0, 2).join(" ") === publicKey;
}
