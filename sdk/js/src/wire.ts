import { CodeSyncError } from "./errors.js";

/** A signature or a key that cannot be used. */
export function unusable(error: string, cause?: unknown): CodeSyncError {
  return new CodeSyncError({ error, statusCode: 0, cause });
}

/** A string of SSH's wire format (RFC 4251): its length in four bytes, then itself. */
export function field(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads the wire format; whatever is cut short is refused. */
export class Reader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  take(count: number): Buffer {
    if (this.at + count > this.bytes.length) throw unusable("It is cut short.");
    return this.bytes.subarray(this.at, (this.at += count));
  }

  number(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.number());
  }

  text(): string {
    return this.string().toString("latin1");
  }

  rest(): Buffer {
    return this.take(this.bytes.length - this.at);
  }

  end(): void {
    if (this.at !== this.bytes.length) throw unusable("It has more bytes than belong to it.");
  }
}
