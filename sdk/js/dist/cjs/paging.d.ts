/** Walks pages of `limit` and `offset` to the end; asks for a page only when its first row is wanted. */
export declare function walk<Page extends {
    total: number;
    offset: number;
}, Row>(ask: (limit: number, offset: number) => Promise<Page>, rowsOf: (page: Page) => Row[], start?: number): AsyncGenerator<Row, void, undefined>;
