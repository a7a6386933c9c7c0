import { segment, type CallOptions, type Transport } from "./transport.js";
import type { IssuedToken, NewSigningKey, NewToken, SigningKey, Token } from "./types.js";

/** API tokens (contract section 5). */
export class Tokens {
  constructor(private readonly transport: Transport) {}

  async list(call?: CallOptions): Promise<Token[]> {
    return (await this.transport.json<{ tokens: Token[] }>({ method: "GET", path: "/tokens" }, call)).tokens;
  }

  /** The only time that the new token's value is shown. Needs the scope `admin`. */
  create(wanted: NewToken, call?: CallOptions): Promise<IssuedToken> {
    return this.transport.json({ method: "POST", path: "/tokens", json: wanted }, call);
  }

  /** Stops a token at once. */
  revoke(id: string, call?: CallOptions): Promise<void> {
    return this.transport.done({ method: "DELETE", path: `/tokens/${segment(id)}` }, call);
  }

  /** A successor; the old token works until the overlap ends. The client goes on with the token that it has. */
  rotate(id: string, overlapHours = 24, call?: CallOptions): Promise<IssuedToken> {
    return this.transport.json({ method: "POST", path: `/tokens/${segment(id)}/rotate`, json: { overlapHours } }, call);
  }
}

/** SSH keys that sign packages (contract section 4). No token may add one: that needs a signed-in session. */
export class SigningKeys {
  constructor(private readonly transport: Transport) {}

  async list(call?: CallOptions): Promise<SigningKey[]> {
    const answer = await this.transport.json<{ signing_keys: SigningKey[] }>({ method: "GET", path: "/signing-keys" }, call);
    return answer.signing_keys;
  }

  add(key: NewSigningKey, call?: CallOptions): Promise<SigningKey> {
    return this.transport.json({ method: "POST", path: "/signing-keys", json: key }, call);
  }

  remove(id: number, call?: CallOptions): Promise<void> {
    return this.transport.done({ method: "DELETE", path: `/signing-keys/${segment(id)}` }, call);
  }
}
