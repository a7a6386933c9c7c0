"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.readPrivateKey = readPrivateKey;
exports.publicLine = publicLine;
exports.fingerprint = fingerprint;
exports.isSignedBy = isSignedBy;
const node_crypto_1 = require("node:crypto");
const wire_js_1 = require("./wire.js");
const ED25519 = "ssh-ed25519";
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
const CURVES = {
    nistp256: { crv: "P-256", hash: "sha256", size: 32 },
    nistp384: { crv: "P-384", hash: "sha384", size: 48 },
    nistp521: { crv: "P-521", hash: "sha512", size: 66 },
};
const RSA_HASHES = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" };
/** Reads an unencrypted Ed25519 private key: OpenSSH's own format, or PEM (PKCS#8). `passphrase` is for PEM alone. */
function readPrivateKey(text, passphrase) {
    const seedOf = text.includes(BEGIN) ? openSshKey(text) : pemKey(text, passphrase);
    const raw = (0, node_crypto_1.createPublicKey)(seedOf).export({ format: "der", type: "spki" }).subarray(SPKI_ED25519.length);
    return { privateKey: seedOf, publicBlob: Buffer.concat([(0, wire_js_1.field)(ED25519), (0, wire_js_1.field)(raw)]) };
}
/** `ssh-ed25519 AAAA…`, as it is registered and as allowed_signers has it. */
function publicLine(blob) {
    return `${new wire_js_1.Reader(blob).text()} ${blob.toString("base64")}`;
}
/** `SHA256:…`, as ssh-keygen -l shows it. */
function fingerprint(blob) {
    return "SHA256:" + (0, node_crypto_1.createHash)("sha256").update(blob).digest("base64").replace(/=+$/, "");
}
/** Whether the signature (the wire's inner blob) over the bytes is by the key. Throws on kinds it does not know. */
function isSignedBy(keyBlob, signature, bytes) {
    const key = new wire_js_1.Reader(keyBlob);
    const kind = key.text();
    const signed = new wire_js_1.Reader(signature);
    const scheme = signed.text();
    if (kind === "ssh-rsa")
        return isSignedByRsa(key, scheme, signed, bytes);
    if (scheme !== kind)
        throw (0, wire_js_1.unusable)(`A key of kind ${kind} does not sign with ${scheme}.`);
    if (kind === ED25519)
        return (0, node_crypto_1.verify)(null, bytes, ed25519(last(key)), last(signed));
    if (kind === `sk-${ED25519}@openssh.com`)
        return isSignedByHardware(key, signed, bytes);
    if (kind.startsWith("ecdsa-sha2-"))
        return isSignedByCurve(key, signed, bytes);
    throw (0, wire_js_1.unusable)(`Keys of kind ${kind} are not known here.`);
}
function openSshKey(text) {
    const reader = new wire_js_1.Reader(Buffer.from(text.replace(/-----[A-Z ]+-----/g, ""), "base64"));
    if (reader.take(15).toString("latin1") !== "openssh-key-v1\0")
        throw (0, wire_js_1.unusable)("This is no OpenSSH private key.");
    const cipher = reader.text();
    if (cipher !== "none") {
        throw (0, wire_js_1.unusable)("The key has a passphrase. Sign with ssh-keygen -Y sign -n codesync, or take a key without one.");
    }
    reader.string();
    reader.string();
    if (reader.number() !== 1)
        throw (0, wire_js_1.unusable)("The file holds more than one key.");
    reader.string();
    const inner = new wire_js_1.Reader(reader.string());
    if (inner.number() !== inner.number())
        throw (0, wire_js_1.unusable)("The key is damaged.");
    const kind = inner.text();
    if (kind !== ED25519)
        throw (0, wire_js_1.unusable)(`Only Ed25519 keys sign here, and this is ${kind}: use ssh-keygen -Y sign.`);
    inner.string();
    const seed = inner.string().subarray(0, 32);
    return (0, node_crypto_1.createPrivateKey)({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
}
function pemKey(text, passphrase) {
    let key;
    try {
        key = (0, node_crypto_1.createPrivateKey)(passphrase === undefined ? text : { key: text, passphrase });
    }
    catch (cause) {
        throw (0, wire_js_1.unusable)("This is no private key that can be read: give an OpenSSH or a PEM (PKCS#8) file.", cause);
    }
    if (key.asymmetricKeyType !== "ed25519")
        throw (0, wire_js_1.unusable)("Only Ed25519 keys sign here: use ssh-keygen -Y sign.");
    return key;
}
function last(reader) {
    const value = reader.string();
    reader.end();
    return value;
}
function ed25519(raw) {
    if (raw.length !== 32)
        throw (0, wire_js_1.unusable)("An Ed25519 key has 32 bytes.");
    return (0, node_crypto_1.createPublicKey)({ key: Buffer.concat([SPKI_ED25519, raw]), format: "der", type: "spki" });
}
/** A security key signs the hash of its application, its flags, its counter and the hash of the bytes. */
function isSignedByHardware(key, signed, bytes) {
    const raw = key.string();
    const application = (0, node_crypto_1.createHash)("sha256").update(last(key)).digest();
    const value = signed.string();
    const flagsAndCounter = signed.rest();
    if (flagsAndCounter.length !== 5 || !(flagsAndCounter[0] & 1))
        throw (0, wire_js_1.unusable)("Nobody touched the security key.");
    const message = (0, node_crypto_1.createHash)("sha256").update(bytes).digest();
    return (0, node_crypto_1.verify)(null, Buffer.concat([application, flagsAndCounter, message]), ed25519(raw), value);
}
function isSignedByRsa(key, scheme, signed, bytes) {
    const hash = RSA_HASHES[scheme];
    if (hash === undefined)
        throw (0, wire_js_1.unusable)(`RSA keys sign with rsa-sha2-512 or rsa-sha2-256, not with ${scheme}.`);
    const e = unpadded(key.string()).toString("base64url");
    const modulus = unpadded(last(key));
    if (modulus.length * 8 < 3072)
        throw (0, wire_js_1.unusable)("RSA keys need 3072 bits or more.");
    const jwk = { kty: "RSA", n: modulus.toString("base64url"), e };
    return (0, node_crypto_1.verify)(hash, bytes, (0, node_crypto_1.createPublicKey)({ key: jwk, format: "jwk" }), last(signed));
}
function isSignedByCurve(key, signed, bytes) {
    const curve = CURVES[key.text()];
    const point = last(key);
    if (curve === undefined || point[0] !== 4 || point.length !== 1 + 2 * curve.size)
        throw (0, wire_js_1.unusable)("The key is damaged.");
    const x = point.subarray(1, 1 + curve.size).toString("base64url");
    const y = point.subarray(1 + curve.size).toString("base64url");
    const pair = new wire_js_1.Reader(last(signed));
    const [r, s] = [padded(pair.string(), curve.size), padded(last(pair), curve.size)];
    const publicKey = (0, node_crypto_1.createPublicKey)({ key: { kty: "EC", crv: curve.crv, x, y }, format: "jwk" });
    return (0, node_crypto_1.verify)(curve.hash, bytes, { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.concat([r, s]));
}
function unpadded(number) {
    return number[0] === 0 ? number.subarray(1) : number;
}
function padded(number, size) {
    const bare = unpadded(number);
    if (bare.length > size)
        throw (0, wire_js_1.unusable)("The signature is damaged.");
    return Buffer.concat([Buffer.alloc(size - bare.length), bare]);
}
