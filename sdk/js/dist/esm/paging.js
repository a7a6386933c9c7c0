/** Walks pages of `limit` (the size, at most 100) and `offset` to the end; asks for a page only when its first row is wanted. */
export async function* walk(ask, rowsOf, size = 100) {
    for (let offset = 0;;) {
        const page = await ask(size, offset);
        const rows = rowsOf(page);
        yield* rows;
        offset += rows.length;
        if (rows.length === 0 || offset >= page.total)
            return;
    }
}
