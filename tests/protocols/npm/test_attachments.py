"""A publish's JSON as it comes: the file decoded on the way, everything else kept, both in bounded memory."""

import base64
import io
import json
import random
import tracemalloc

import pytest

from registry.errors import InvalidInput, TooLarge
from registry.protocols.npm.attachments import Document

FILE = random.Random(7).randbytes(10_001)
DOCUMENT = {
    "_id": "x",
    "decoys": [{"_attachments": {"x-1.tgz": {"data": "bm8="}}}, [["_attachments"]]],
    "data": 'quotes " and \\ and é and 😀',
    "_attachments": {"x-1.tgz": {"content_type": "a", "data": base64.b64encode(FILE).decode(), "length": 10_001}},
    "after": {"e": [], "n": -1.5e3},
}


class Trickle:
    """A body that comes in pieces of a size."""

    def __init__(self, body: bytes, size: int) -> None:
        self.stream, self.size = io.BytesIO(body), size

    def read(self, size: int, /) -> bytes:
        return self.stream.read(min(size, self.size))


def walked(body: bytes, piece: int = 4096, asked: int = 1000) -> tuple[dict[str, bytes], object]:
    document, files = Document(Trickle(body, piece)), {}
    for name in document.files():
        files[name] = b"".join(iter(lambda: document.read(asked), b""))
    return files, document.value()


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("spelled", ["plain", "indented", "slashes", "first", "escaped"])
def test_however_it_is_cut_and_spelled_it_means_the_same(piece: int, spelled: str):
    body = json.dumps(DOCUMENT, indent=1 if spelled == "indented" else None, ensure_ascii=spelled != "first")
    if spelled == "slashes":
        body = body.replace("/", "\\/")
    if spelled == "escaped":
        body = body.replace('"data"', '"d\\u0061ta"').replace('"_attachments"', '"\\u005fattachments"')
    files, value = walked(body.encode(), piece)
    assert files == {"x-1.tgz": FILE}
    expected = json.loads(json.dumps(DOCUMENT))
    expected["_attachments"]["x-1.tgz"]["data"] = ""
    assert value == expected


def test_a_file_that_nobody_reads_is_passed_over():
    document = Document(Trickle(json.dumps(DOCUMENT).encode(), 100))
    assert list(document.files()) == ["x-1.tgz"]
    assert document.value()["after"] == {"e": [], "n": -1500.0}


@pytest.mark.parametrize("data", ["QQ=", "Q", "QQ==QQ==", "QU\\u0041D", "QUJ!", "QUJD\\n", "QU JD", "QUJD\\\\", "é"])
def test_what_is_no_base64_is_refused(data: str):
    body = '{"_attachments": {"x.tgz": {"data": "' + data + '"}}}'
    with pytest.raises(InvalidInput):
        walked(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"]", b"{", b'{"a', b'{"a": "b\\', b'{"_attachments": {"x.tgz": {"data": "QUJD', b'{"a" "b"}', b"[1,]",
        b'{"a": 1, "a": 2}', b"[" * 70 + b"]" * 70, b'{"a": "\\u0000"}', b'{"a": NaN}', b"\xff", b'{"a":1}}',
        b'{"_attachments": {"x.tgz": {"data": "QUJD", "data": "QUJD"}}}',
    ],
)  # fmt: skip
def test_what_is_no_strict_json_is_refused(body: bytes):
    with pytest.raises(InvalidInput):
        walked(body, 5)


def test_what_stands_beside_the_file_is_bounded():
    document = Document(Trickle(b'{"readme": "' + b"x" * 2000 + b'"}', 100), limit=1000)
    with pytest.raises(TooLarge):
        list(document.files())


def test_a_large_file_takes_no_more_memory_than_a_small_one():
    """40 MB of base64 are made while they are read."""

    class Endless:
        def __init__(self) -> None:
            self.parts = iter([b'{"_attachments": {"x.tgz": {"data": "', *[b"QUJD" * 2**17] * 80, b'"}}}'])

        def read(self, size: int, /) -> bytes:
            return next(self.parts, b"")

    document, size = Document(Endless()), 0
    tracemalloc.start()
    try:
        for _name in document.files():
            while chunk := document.read(512 * 1024):
                size += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 3 * 2**17 * 80
    assert peak < 6 * 2**20


def test_what_has_more_parts_than_any_packument_is_refused_before_its_end():
    with pytest.raises(InvalidInput):
        list(Document(io.BytesIO(b"[" + b"," * 2_000_000)).files())
