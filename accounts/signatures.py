"""SSH signatures over archives: the armored SSHSIG format of OpenSSH's PROTOCOL.sshsig, read strictly, offline.

Inside the armor there is one spelling: lengths, numbers and base64 that OpenSSH would not have written are refused.
Namespaces, hashes and algorithms that the portal does not accept are refused by name.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from accounts.errors import RegistryError
from accounts.ssh_keys import PublicKey, fingerprint_of, read_public_key
from accounts.ssh_wire import KeyInvalid, Reader, string

NAMESPACE = "codesync"
LARGEST = 16 * 1024
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
ARMOR = re.compile(rf"{BEGIN}\r?\n((?:[A-Za-z0-9+/]+\r?\n)*[A-Za-z0-9+/]+={{0,2}}\r?\n){END}(?:\r?\n)?")
MAGIC = b"SSHSIG"
HASHES = {"sha256": 32, "sha512": 64}
LONGEST_LINE = 76


class SignatureInvalid(RegistryError):
    """The signature is damaged, of a kind that is not accepted, or not over these bytes."""

    code = "signature_invalid"


@dataclass(frozen=True, slots=True)
class Signature:
    """What an armored signature says about itself; true only once `verify` has returned it."""

    public_key_line: str
    fingerprint: str
    algorithm: str
    namespace: str
    hash_algorithm: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """The fields of the signed blob, each read to its last byte."""

    key: PublicKey
    namespace: bytes
    hash_algorithm: str
    scheme: str
    value: bytes

    def described(self) -> Signature:
        """The public description of the parts."""
        return Signature(
            public_key_line=self.key.line,
            fingerprint=fingerprint_of(self.key.blob),
            algorithm=self.key.algorithm,
            namespace=self.namespace.decode(),
            hash_algorithm=self.hash_algorithm,
        )

    def signed_bytes(self, digest: bytes) -> bytes:
        """What was signed: the namespace, the hash's name and the digest, never the archive itself."""
        fields = (self.namespace, b"", self.hash_algorithm.encode(), digest)
        return MAGIC + b"".join(string(field) for field in fields)


def parse(armored: str) -> Signature:
    """Read a signature without any claim that it is true. Raises SignatureInvalid."""
    return _parts(armored).described()


def verify(armored: str, *, sha512: bytes, sha256: bytes) -> Signature:
    """The signature, if it is over the bytes with these digests and for our namespace. Raises SignatureInvalid."""
    parts = _parts(armored)
    digest = sha512 if parts.hash_algorithm == "sha512" else sha256
    if len(digest) != HASHES[parts.hash_algorithm]:
        raise ValueError(f"A {parts.hash_algorithm} digest has {HASHES[parts.hash_algorithm]} bytes.")
    try:
        parts.key.verify(parts.scheme, parts.value, parts.signed_bytes(digest))
    except KeyInvalid as error:
        raise SignatureInvalid(f"The signature cannot be used: {error.message}") from error
    except InvalidSignature as error:
        raise SignatureInvalid(
            "The signature does not fit this archive: it was made over other bytes, or altered since. "
            f"Sign exactly the file that you send: ssh-keygen -Y sign -n {NAMESPACE} -f KEY FILE."
        ) from error
    return parts.described()


def split_appended(path: Path) -> tuple[int, str | None]:
    """The length of the archive proper, and the armored signature that stands after its last byte, if one does."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LARGEST))
        tail = file.read()
    start = tail.rfind(BEGIN.encode())
    if start < 0 or not tail.rstrip(b"\r\n").endswith(END.encode()):
        return size, None
    if not tail[start:].isascii():
        raise SignatureInvalid("What is appended to the archive is no armored signature.")
    return size - len(tail) + start, tail[start:].decode("ascii")


def digests_of(content: bytes) -> dict[str, bytes]:
    """Both digests of bytes that are in memory, as `verify` takes them."""
    return {"sha512": hashlib.sha512(content).digest(), "sha256": hashlib.sha256(content).digest()}


def allowed_signers_line(principal: str, public_key_line: str) -> str:
    """A line for the file that `ssh-keygen -Y verify -f` reads: who may sign packages, with which key."""
    quoted = re.sub(r"[^A-Za-z0-9@._+-]", "_", principal)
    algorithm, blob = public_key_line.split(" ")[:2]
    return f'{quoted} namespaces="{NAMESPACE}" {algorithm} {blob}'


def _parts(armored: str) -> _Parts:
    """The fields of an armored signature, every length and every byte accounted for."""
    try:
        return _read(_unarmored(armored))
    except KeyInvalid as error:
        raise SignatureInvalid(f"The signature cannot be read: {error.message}") from error


def _unarmored(armored: str) -> bytes:
    """The bytes inside the armor, which must be written as OpenSSH writes it."""
    if len(armored) > LARGEST:
        raise SignatureInvalid(f"A signature has at most {LARGEST} bytes.")
    match = ARMOR.fullmatch(armored)
    if match is None:
        raise SignatureInvalid(f"The signature is not armored: it begins with {BEGIN} and ends with {END}.")
    lines = match[1].split()
    if any(len(line) > LONGEST_LINE for line in lines) or len({len(line) for line in lines[:-1]}) > 1:
        raise SignatureInvalid("The lines of the armored signature are not of one length. Send the file unchanged.")
    return _debased("".join(lines))


def _debased(text: str) -> bytes:
    """Base64 in its one spelling: right padding, no stray bits."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid("The signature is not valid base64. Send the file unchanged.") from error
    if base64.b64encode(content).decode() != text:
        raise SignatureInvalid("The signature is not valid base64. Send the file unchanged.")
    return content


def _read(blob: bytes) -> _Parts:
    """The fields of PROTOCOL.sshsig: magic, version, key, namespace, reserved, hash, signature."""
    reader = Reader(blob)
    if reader.take(len(MAGIC)) != MAGIC:
        raise KeyInvalid("it does not begin with SSHSIG.")
    if reader.number() != 1:
        raise KeyInvalid("only version 1 is known.")
    key_blob, namespace, reserved = reader.string(), reader.string(), reader.string()
    hash_algorithm, signature = reader.string(), Reader(reader.string())
    reader.end()
    if namespace != NAMESPACE.encode():
        raise SignatureInvalid(
            f"The signature was made for “{_shown(namespace)}”, not for “{NAMESPACE}”. Sign with -n {NAMESPACE}.",
            code="signature_namespace",
        )
    if reserved:
        raise KeyInvalid("its reserved field is not empty.")
    if hash_algorithm.decode("ascii", "replace") not in HASHES:
        raise KeyInvalid("its hash is neither sha512 nor sha256.")
    key = read_public_key(key_blob)
    scheme = signature.string().decode("ascii", "replace")
    value = signature.rest() if key.is_hardware_backed else signature.string()
    signature.end()
    return _Parts(key, namespace, hash_algorithm.decode(), scheme, value)


def _shown(namespace: bytes) -> str:
    """A namespace as a message may show it."""
    return re.sub(r"[^\x20-\x7e]", "?", namespace.decode("ascii", "replace"))[:40]
