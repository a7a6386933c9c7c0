import { type CallOptions, type Transport } from "./transport.js";
import type { GrantRow, NewProduct, ProductFacts, ProductName, ProductPermissions, ProductUploaded, Retained, TokenFacts, VersionNamed } from "./types.js";
/** Versioned build artifacts with permissions per token (contract section 10). */
export declare class Products {
    private readonly transport;
    constructor(transport: Transport);
    /** Makes a token; the answer is its value. Admins only. */
    register(admin?: boolean, call?: CallOptions): Promise<string>;
    /** What a token is. */
    token(token: string, call?: CallOptions): Promise<TokenFacts>;
    /** Removes a token. */
    prune(token: string, call?: CallOptions): Promise<void>;
    /** The names of the products that the caller may reach. */
    list(call?: CallOptions): Promise<string[]>;
    create(product: NewProduct, call?: CallOptions): Promise<ProductName>;
    get(product: string, call?: CallOptions): Promise<ProductFacts>;
    delete(product: string, call?: CallOptions): Promise<void>;
    /** Lets a token do something with a product, or changes what it may. */
    grant(product: string, token: string, permissions: ProductPermissions, call?: CallOptions): Promise<GrantRow>;
    /** Takes a token from a product: its value, or its digest. */
    revoke(product: string, token: string, call?: CallOptions): Promise<void>;
    /** How many versions to keep, and for how many days; null for no limit. */
    retain(product: string, keep: {
        keepVersions: number | null;
        keepDays: number | null;
    }, call?: CallOptions): Promise<Retained>;
    /** Keeps a version whatever the retention says. */
    pin(product: string, version: string, call?: CallOptions): Promise<VersionNamed>;
    unpin(product: string, version: string, call?: CallOptions): Promise<VersionNamed>;
    deleteVersion(product: string, version: string, call?: CallOptions): Promise<void>;
    upload(product: string, version: string, file: Blob, filename: string, call?: CallOptions): Promise<ProductUploaded>;
    /** A version's file; its bytes are the answer's body. */
    download(product: string, version: string, options?: CallOptions & {
        range?: string;
    }): Promise<Response>;
}
