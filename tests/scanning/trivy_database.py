"""A Trivy database with one advisory in it, in the format of bbolt: enough for a real Trivy to find it."""

import json
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PAGE, LEAF, META, FREE, BUCKET = 4096, 0x02, 0x04, 0x10, 1
MAGIC, VERSION = 0xED0CDAED, 2
SOURCE = "npm::GitHub Security Advisory Npm"
Item = tuple[bytes, bytes, int]


def write(folder: Path, package: str, advisory: dict[str, Any], identifier: str, details: dict[str, Any]) -> None:
    """`trivy.db` and `metadata.json` in the folder, saying that the advisory is about the npm package."""
    folder.mkdir(parents=True)
    inline = struct.pack("<QQ", 0, 0) + page(0, LEAF, [item(identifier, advisory)])
    buckets = {"data-source": 6, SOURCE: 4, "vulnerability": 5}
    pages = [
        meta(0),
        meta(1),
        page(2, FREE, []),
        page(3, LEAF, [(name.encode(), struct.pack("<QQ", at, 0), BUCKET) for name, at in buckets.items()]),
        page(4, LEAF, [(package.encode(), inline, BUCKET)]),
        page(5, LEAF, [item(identifier, details)]),
        page(6, LEAF, [item(SOURCE, {"ID": "ghsa", "Name": SOURCE, "URL": "https://github.example/advisories"})]),
    ]
    (folder / "trivy.db").write_bytes(b"".join(one.ljust(PAGE, b"\0") for one in pages))
    now = datetime.now(UTC)
    times = {"UpdatedAt": now, "DownloadedAt": now, "NextUpdate": now + timedelta(days=30)}
    stated = {"Version": 2, **{name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in times.items()}}
    (folder / "metadata.json").write_text(json.dumps(stated))


def item(key: str, value: dict[str, Any]) -> Item:
    return key.encode(), json.dumps(value).encode(), 0


def page(number: int, flags: int, items: list[Item]) -> bytes:
    """A header, an element for each item, then their keys and values; sorted by key, as bbolt searches them."""
    elements, data = b"", b""
    for position, (key, value, kind) in enumerate(sorted(items)):
        elements += struct.pack("<IIII", kind, (len(items) - position) * 16 + len(data), len(key), len(value))
        data += key + value
    return struct.pack("<QHHI", number, flags, len(items), 0) + elements + data


def meta(number: int) -> bytes:
    fields = struct.pack("<IIIIQQQQQ", MAGIC, VERSION, PAGE, 0, 3, 0, 2, 7, number)
    checksum = 0xCBF29CE484222325
    for byte in fields:
        checksum = ((checksum ^ byte) * 0x100000001B3) % 2**64
    return struct.pack("<QHHI", number, META, 0, 0) + fields + struct.pack("<Q", checksum)
