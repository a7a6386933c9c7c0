import { CodeSyncError } from "./errors.js";
/** A signature or a key that cannot be used. */
export function unusable(error, cause) {
    return new CodeSyncError({ error, statusCode: 0, cause });
}
/** A string of SSH's wire format (RFC 4251): its length in four bytes, then itself. */
export function field(value) {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}
/** Reads the wire format; whatever is cut short is refused. */
export class Reader {
    bytes;
    at = 0;
    constructor(bytes) {
        this.bytes = bytes;
    }
    take(count) {
        if (this.at + count > this.bytes.length)
            throw unusable("It is cut short.");
        return this.bytes.subarray(this.at, (this.at += count));
    }
    number() {
        return this.take(4).readUInt32BE();
    }
    string() {
        return this.take(this.number());
    }
    text() {
        return this.string().toString("latin1");
    }
    rest() {
        return this.take(this.bytes.length - this.at);
    }
    end() {
        if (this.at !== this.bytes.length)
            throw unusable("It has more bytes than belong to it.");
    }
}
