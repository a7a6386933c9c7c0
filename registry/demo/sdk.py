"""`@codesync/sdk` in the demo: packed from sdk/js as it stands, signed with a key made for it and forgotten."""

import base64
import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from hashlib import sha512
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from accounts.signatures import BEGIN, END, MAGIC, NAMESPACE
from accounts.ssh_wire import string

NAME = "@codesync/sdk"
ALWAYS = ("package.json", "README.md", "LICENSE")
PACKED_AT = 499162500  # the instant that npm itself writes into every archive
ALGORITHM = "ssh-ed25519"


@dataclass(frozen=True, slots=True)
class Signed:
    """An archive, the armored signature over it, and the public line of the key that made it."""

    archive: bytes
    signature: str
    public_key: str


def packed() -> bytes:
    """The tarball that `npm pack` would make: what package.json names, in one order and with one instant."""
    folder = Path(settings.BASE_DIR) / "sdk" / "js"
    named = [folder / name for name in (*ALWAYS, *json.loads((folder / "package.json").read_text())["files"])]
    # by name: what is alike in both module formats lies together, and compresses to two thirds
    files = [file for path in named for file in (sorted(path.rglob("*"), key=_by_name) if path.is_dir() else [path])]
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in files:
            if file.is_file():
                info, content = tarfile.TarInfo(f"package/{file.relative_to(folder).as_posix()}"), file.read_bytes()
                info.size, info.mtime, info.mode = len(content), PACKED_AT, 0o644
                tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def _by_name(file: Path) -> tuple[str, Path]:
    return file.name, file


def signed(archive: bytes) -> Signed:
    """The archive signed as `ssh-keygen -Y sign -n codesync` does, by a key that nobody has afterwards."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    space, hashed = string(NAMESPACE.encode()) + string(b""), string(b"sha512")
    value = key.sign(MAGIC + space + hashed + string(sha512(archive).digest()))
    blob = MAGIC + (1).to_bytes(4) + string(base64.b64decode(public.split()[1])) + space + hashed
    blob += string(string(ALGORITHM.encode()) + string(value))
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return Signed(archive, "\n".join([BEGIN, *lines, END, ""]), public)
