import { CodeSyncError } from "./errors.js";
/** A signature or a key that cannot be used. */
export declare function unusable(error: string, cause?: unknown): CodeSyncError;
/** A string of SSH's wire format (RFC 4251): its length in four bytes, then itself. */
export declare function field(value: Uint8Array | string): Buffer;
/** Reads the wire format; whatever is cut short is refused. */
export declare class Reader {
    private readonly bytes;
    private at;
    constructor(bytes: Buffer);
    take(count: number): Buffer;
    number(): number;
    string(): Buffer;
    text(): string;
    rest(): Buffer;
    end(): void;
}
