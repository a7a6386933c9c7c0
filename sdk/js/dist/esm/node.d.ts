/** What needs Node: SSH signatures over archives, as `ssh-keygen -Y sign -n codesync` makes them (PROTOCOL.sshsig). */
/** An archive in memory, or its chunks: `fs.createReadStream(path)`. */
export type Archive = Uint8Array | AsyncIterable<Uint8Array>;
export interface SignOptions {
    /** What the signature is for; the portal takes `codesync` alone, which is the default. */
    namespace?: string;
    hash?: "sha512" | "sha256";
    /** Of an encrypted PEM key. */
    passphrase?: string;
}
export interface VerifyOptions {
    namespace?: string;
    /** Whom to trust: public key lines (`ssh-ed25519 AAAA… comment`) or fingerprints (`SHA256:…`). */
    trusted: string[];
}
/** What a signature says of itself once it is known to hold. */
export interface VerifiedSignature {
    publicKey: string;
    fingerprint: string;
    algorithm: string;
    hash: "sha512" | "sha256";
    namespace: string;
}
/** The armored signature over an archive, by an Ed25519 private key: OpenSSH's format or PEM, as text. */
export declare function sign(archive: Archive, privateKey: string, options?: SignOptions): Promise<string>;
/** The archive with its signature after its last byte: one body that carries both. */
export declare function signed(archive: Uint8Array, privateKey: string, options?: SignOptions): Promise<Uint8Array<ArrayBuffer>>;
/** The same with a signature that exists. */
export declare function append(archive: Uint8Array, signature: string): Uint8Array<ArrayBuffer>;
/** An archive and the signature that stands after its last byte; `signature` is undefined when none does. */
export declare function split(bytes: Uint8Array): {
    archive: Uint8Array;
    signature: string | undefined;
};
/** What the `X-Signature` header takes. */
export declare function header(signature: string): string;
/** The public line of a private key, to be registered on the profile page. */
export declare function publicKeyOf(privateKey: string, passphrase?: string): string;
/** Verifies offline; throws a CodeSyncError unless the signature holds and is by a key that is trusted. */
export declare function verify(archive: Archive, signature: string, options: VerifyOptions): Promise<VerifiedSignature>;
