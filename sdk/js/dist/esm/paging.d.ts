/** Walks pages of `limit` (the size, at most 100) and `offset` to the end; asks for a page only when its first row is wanted. */
export declare function walk<Page extends {
    total: number;
    offset: number;
}, Row>(ask: (limit: number, offset: number) => Promise<Page>, rowsOf: (page: Page) => Row[], size?: number): AsyncGenerator<Row, void, undefined>;
