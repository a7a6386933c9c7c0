"""What upstreams write in odd ways, read strictly or not at all."""

import base64
import binascii
import hashlib
import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from registry.upstreams.sources.base import Listing, Stream, Wanted, Web

LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
AS_IT_LIES = {"Accept-Encoding": "identity"}
LOCATOR = 2000


def moment(text: Any) -> datetime | None:
    """An ISO 8601 date with its time, in UTC where it names no zone; None for anything else."""
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return read.replace(tzinfo=read.tzinfo or UTC)


def hexadecimal(algorithm: Any, text: Any) -> dict[str, str]:
    """`{algorithm: text}` if that is what the text can be, else nothing."""
    if not isinstance(text, str) or len(text) != LENGTHS.get(algorithm) or not re.fullmatch(r"[0-9a-fA-F]+", text):
        return {}
    return {algorithm: text.lower()}


def integrity(text: Any) -> dict[str, str]:
    """The digests of a Subresource Integrity string (`sha512-… sha1-…`)."""
    found: dict[str, str] = {}
    for word in text.split() if isinstance(text, str) else ():
        algorithm, _, rest = word.partition("-")
        try:
            raw = base64.b64decode(rest.partition("?")[0], validate=True)
        except (binascii.Error, ValueError):
            continue
        found |= hexadecimal(algorithm, raw.hex())
    return found


def words(value: Any, otherwise: str) -> str:
    """A reason as text: what stands there, or the words for one that is only said to be."""
    return (value.strip()[:2000] if isinstance(value, str) else "") or (
        otherwise if value not in (None, False, "") else ""
    )


def file(web: Web, listing: Listing) -> AbstractContextManager[Stream]:
    """The bytes as they lie: some servers would unpack a tar.gz on the way."""
    return web.file(listing.locator, headers=AS_IT_LIES)


def fingerprint(wanted: Wanted) -> str:
    """Changes with the patterns: what was not wanted before is new, however old it is."""
    return hashlib.sha256(repr((sorted(wanted.include), sorted(wanted.exclude))).encode()).hexdigest()[:16]
