"""Whether a file is the one that was published, and by whom it was signed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from codesync import signing
from codesync.errors import NotVerified

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Digests:
    """What a file hashes to."""

    sha256: str
    sha512: str


def digests_of(file: Path) -> Digests:
    """Both digests of the file, read once, whatever its size."""
    short, long = hashlib.sha256(), hashlib.sha512()
    with file.open("rb") as stream:
        while piece := stream.read(CHUNK):
            short.update(piece)
            long.update(piece)
    return Digests(short.hexdigest(), long.hexdigest())


def compare(file: Path, sha256: str, sha512: str) -> Digests:
    """Raises NotVerified where the file is not the one that these digests (in hex) are of."""
    found = digests_of(file)
    if found != Digests(sha256.lower(), sha512.lower()):
        raise NotVerified(
            f"The file hashes to sha256 {found.sha256}, the portal recorded {sha256}. Do not use it, and tell "
            "who runs the portal."
        )
    return found


def check_signature(file: Path, armored: str, signers: Path, folder: Path, expected: str = "") -> str:
    """ssh-keygen's sentence on the signature by an allowed signer (the expected one); offline. Raises NotVerified."""
    signature = folder / "signature.sig"
    signature.write_text(armored)
    return signing.verify(file, signature, signers, expected)
