import { segment, type CallOptions, type Request, type Transport } from "./transport.js";
import type {
  GrantRow, NewProduct, ProductFacts, ProductName, ProductPermissions, ProductUploaded, Retained, TokenFacts, VersionNamed,
} from "./types.js";

/** Versioned build artifacts with permissions per token (contract section 10). */
export class Products {
  constructor(private readonly transport: Transport) {}

  /** Makes a token; the answer is its value. Admins only. */
  register(admin = false, call?: CallOptions): Promise<string> {
    return this.transport.text({ ...at("PUT", "/register", { admin }), isIdempotent: false }, call);
  }

  /** What a token is. */
  token(token: string, call?: CallOptions): Promise<TokenFacts> {
    return this.transport.json(at("GET", `/fetch/${segment(token)}`), call);
  }

  /** Removes a token. */
  prune(token: string, call?: CallOptions): Promise<void> {
    return this.transport.done(at("DELETE", `/prune/${segment(token)}`), call);
  }

  /** The names of the products that the caller may reach. */
  list(call?: CallOptions): Promise<string[]> {
    return this.transport.json(at("GET", "/product/access"), call);
  }

  create(product: NewProduct, call?: CallOptions): Promise<ProductName> {
    return this.transport.json({ ...at("PUT", "/product/create", product), isIdempotent: false }, call);
  }

  get(product: string, call?: CallOptions): Promise<ProductFacts> {
    return this.transport.json(at("GET", `/product/fetch/${segment(product)}`), call);
  }

  delete(product: string, call?: CallOptions): Promise<void> {
    return this.transport.done(at("DELETE", `/product/delete/${segment(product)}`), call);
  }

  /** Lets a token do something with a product, or changes what it may. */
  grant(product: string, token: string, permissions: ProductPermissions, call?: CallOptions): Promise<GrantRow> {
    return this.transport.json(at("PUT", "/product/modify/addToken", { product, token, permissions }), call);
  }

  /** Takes a token from a product: its value, or its digest. */
  revoke(product: string, token: string, call?: CallOptions): Promise<void> {
    return this.transport.done(at("DELETE", "/product/modify/deleteToken", { product, token }), call);
  }

  /** How many versions to keep, and for how many days; null for no limit. */
  retain(
    product: string, keep: { keepVersions: number | null; keepDays: number | null }, call?: CallOptions,
  ): Promise<Retained> {
    return this.transport.json(at("PUT", "/product/modify/setRetention", { product, ...keep }), call);
  }

  /** Keeps a version whatever the retention says. */
  pin(product: string, version: string, call?: CallOptions): Promise<VersionNamed> {
    return this.transport.json(at("PUT", "/product/modify/pinVersion", { product, version }), call);
  }

  unpin(product: string, version: string, call?: CallOptions): Promise<VersionNamed> {
    return this.transport.json(at("DELETE", "/product/modify/unpinVersion", { product, version }), call);
  }

  deleteVersion(product: string, version: string, call?: CallOptions): Promise<void> {
    return this.transport.done(at("DELETE", `/product/delete/${segment(product)}/${segment(version)}`), call);
  }

  upload(product: string, version: string, file: Blob, filename: string, call?: CallOptions): Promise<ProductUploaded> {
    const body = new FormData();
    body.append("product", product);
    body.append("version", version);
    body.append("file", file, filename);
    return this.transport.json({ method: "POST", path: "/product/upload", isAtRoot: true, body }, call);
  }

  /** A version's file; its bytes are the answer's body. */
  download(product: string, version: string, options: CallOptions & { range?: string } = {}): Promise<Response> {
    const { range, ...call } = options;
    const headers: Record<string, string> = range === undefined ? {} : { Range: range };
    return this.transport.answer({ ...at("GET", `/product/download/${segment(product)}/${segment(version)}`), headers }, call);
  }
}

function at(method: string, path: string, json?: unknown): Request {
  return { method, path, isAtRoot: true, json };
}
