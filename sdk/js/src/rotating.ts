import { CodeSyncError } from "./errors.js";
import { segment, type Transport } from "./transport.js";
import type { IssuedToken, Me, Token } from "./types.js";

const DAY = 86_400_000;
const AGAIN = 60_000;

/** How the client renews its own token before that ends. */
export interface Rotation {
  /**
   * Keeps the successor (`successor.token`) where the next start will read it. It is awaited before the successor is
   * used; when it throws, it is called again after the next answer, and `onError` hears why.
   */
  onRotate: (successor: IssuedToken) => void | Promise<void>;
  /** Days before the end at which to rotate; never earlier than in the second half of the token's life. Default 7. */
  daysBefore?: number;
  /** Hours that the old token goes on working, for whoever still holds it: 0 to 168. Default 24. */
  overlapHours?: number;
  /** Hears why a rotation failed. No call fails for it: the old token works until its end. */
  onError?: (problem: unknown) => void;
}

/** Watches the end of the token on every answer (X-Token-Expires-At) and rotates once, however many calls see it. */
export class Rotator {
  private underWay: Promise<void> | undefined;
  private unsaved: IssuedToken | undefined;
  private notBefore = 0;
  private seen: string | undefined;

  constructor(
    private readonly transport: Transport,
    private readonly rotation: Rotation,
  ) {}

  /** To be called with every answer; never rejects. */
  async heed(response: Response, token: string | undefined): Promise<void> {
    if (token === undefined || token !== this.transport.token) return;
    if (token !== this.seen) [this.seen, this.notBefore] = [token, 0];
    const now = Date.parse(response.headers.get("Date") ?? "") || Date.now();
    const left = Date.parse(response.headers.get("X-Token-Expires-At") ?? "") - now;
    const isDue = left <= this.before && now >= this.notBefore;
    if (!isDue && this.unsaved === undefined) return;
    this.underWay ??= this.renew(now, token).finally(() => (this.underWay = undefined));
    await this.underWay;
  }

  private get before(): number {
    return (this.rotation.daysBefore ?? 7) * DAY;
  }

  private async renew(now: number, token: string): Promise<void> {
    try {
      if (this.unsaved === undefined) await this.rotate(now);
      await this.save(token);
    } catch (problem) {
      const isFinal = problem instanceof CodeSyncError && [403, 404, 409].includes(problem.statusCode);
      if (this.unsaved === undefined) this.notBefore = isFinal ? Infinity : now + AGAIN;
      this.rotation.onError?.(problem);
    }
  }

  /** Asks for the successor, unless the token is still in the first half of a short life. */
  private async rotate(now: number): Promise<void> {
    const own = await this.own();
    if (own === undefined) {
      this.notBefore = Infinity; // a sold key or a session: nothing to rotate
      return;
    }
    const end = Date.parse(own.expiresAt);
    const due = Math.max(end - this.before, end - (end - Date.parse(own.createdAt)) / 2);
    if (now < due) {
      this.notBefore = due;
      return;
    }
    const json = { overlapHours: this.rotation.overlapHours ?? 24 };
    this.unsaved = await this.ask<IssuedToken>("POST", `/tokens/${segment(own.id)}/rotate`, json);
  }

  private async own(): Promise<Token | undefined> {
    const me = await this.ask<Me>("GET", "/me");
    if (me.credential.kind !== "token") return undefined;
    const { tokens } = await this.ask<{ tokens: Token[] }>("GET", "/tokens");
    return tokens.find((token) => token.id === me.credential.id);
  }

  private async save(token: string): Promise<void> {
    if (this.unsaved === undefined) return;
    const successor = this.unsaved;
    try {
      await this.rotation.onRotate(successor);
      this.unsaved = undefined;
    } finally {
      if (this.transport.token === token) this.transport.token = successor.token;
    }
  }

  /** By the token itself, past the watch over answers. */
  private ask<T>(method: string, path: string, json?: unknown): Promise<T> {
    return this.transport.json<T>({ method, path, json, isUnwatched: true });
  }
}
