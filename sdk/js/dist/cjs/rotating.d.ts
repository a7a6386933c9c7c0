import { type Transport } from "./transport.js";
import type { IssuedToken } from "./types.js";
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
export declare class Rotator {
    private readonly transport;
    private readonly rotation;
    private underWay;
    private unsaved;
    private notBefore;
    private seen;
    constructor(transport: Transport, rotation: Rotation);
    /** To be called with every answer; never rejects. */
    heed(response: Response, token: string | undefined): Promise<void>;
    private get before();
    private renew;
    /** Asks for the successor, unless the token is still in the first half of a short life. */
    private rotate;
    private own;
    private save;
    /** By the token itself, past the watch over answers. */
    private ask;
}
