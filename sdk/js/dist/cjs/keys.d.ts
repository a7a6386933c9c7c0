import { KeyObject } from "node:crypto";
/** An Ed25519 key that can sign, and its public half as SSH writes it. */
export interface SigningKeyPair {
    readonly privateKey: KeyObject;
    readonly publicBlob: Buffer;
}
/** Reads an unencrypted Ed25519 private key: OpenSSH's own format, or PEM (PKCS#8). `passphrase` is for PEM alone. */
export declare function readPrivateKey(text: string, passphrase?: string): SigningKeyPair;
/** `ssh-ed25519 AAAA…`, as it is registered and as allowed_signers has it. */
export declare function publicLine(blob: Buffer): string;
/** `SHA256:…`, as ssh-keygen -l shows it. */
export declare function fingerprint(blob: Buffer): string;
/** Whether the signature (the wire's inner blob) over the bytes is by the key. Throws on kinds it does not know. */
export declare function isSignedBy(keyBlob: Buffer, signature: Buffer, bytes: Buffer): boolean;
