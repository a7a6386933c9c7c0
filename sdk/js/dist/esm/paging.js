/** Walks pages of `limit` and `offset` to the end; asks for a page only when its first row is wanted. */
export async function* walk(ask, rowsOf, start = 0) {
    for (let offset = start;;) {
        const page = await ask(100, offset);
        const rows = rowsOf(page);
        yield* rows;
        offset += rows.length;
        if (rows.length === 0 || offset >= page.total)
            return;
    }
}
