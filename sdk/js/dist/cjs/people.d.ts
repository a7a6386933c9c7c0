import { type CallOptions, type Transport } from "./transport.js";
import type { IssuedToken, NewSigningKey, NewToken, SigningKey, Token } from "./types.js";
/** API tokens (contract section 5). */
export declare class Tokens {
    private readonly transport;
    constructor(transport: Transport);
    list(call?: CallOptions): Promise<Token[]>;
    /** The only time that the new token's value is shown. Needs the scope `admin`. */
    create(wanted: NewToken, call?: CallOptions): Promise<IssuedToken>;
    /** Stops a token at once. */
    revoke(id: string, call?: CallOptions): Promise<void>;
    /** A successor; the old token works until the overlap ends. The client goes on with the token that it has. */
    rotate(id: string, overlapHours?: number, call?: CallOptions): Promise<IssuedToken>;
}
/** SSH keys that sign packages (contract section 4). No token may add one: that needs a signed-in session. */
export declare class SigningKeys {
    private readonly transport;
    constructor(transport: Transport);
    list(call?: CallOptions): Promise<SigningKey[]>;
    add(key: NewSigningKey, call?: CallOptions): Promise<SigningKey>;
    remove(id: number, call?: CallOptions): Promise<void>;
}
