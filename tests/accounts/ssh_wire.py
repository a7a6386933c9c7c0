"""Keys and signatures put together by hand: what ssh-keygen cannot or will not make."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from accounts.signatures import BEGIN, END


def field(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content


def mpint(number: int) -> bytes:
    return field(number.to_bytes(number.bit_length() // 8 + 1))


def armor(blob: bytes, width: int = 70) -> str:
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    return "\n".join([BEGIN, *lines, END, ""])


def unarmor(armored: str) -> bytes:
    return base64.b64decode("".join(armored.split("\n")[1:-2]))


def message(data: bytes, namespace: bytes = b"codesync", reserved: bytes = b"", digest: bytes = b"sha512") -> bytes:
    hashed = hashlib.new(digest.decode() if digest in (b"sha256", b"sha512") else "sha1", data).digest()
    return b"SSHSIG" + field(namespace) + field(reserved) + field(digest) + field(hashed)


def envelope(
    key: bytes,
    signature: bytes,
    namespace: bytes = b"codesync",
    reserved: bytes = b"",
    digest: bytes = b"sha512",
    version: int = 1,
    tail: bytes = b"",
) -> str:
    blob = b"SSHSIG" + version.to_bytes(4) + field(key) + field(namespace) + field(reserved) + field(digest)
    return armor(blob + field(signature) + tail)


class Ed25519:
    """A software key, signing as PROTOCOL.sshsig says."""

    def __init__(self, seed: int = 1) -> None:
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.point = self.private.public_key().public_bytes_raw()
        self.blob = field(b"ssh-ed25519") + field(self.point)
        self.line = f"ssh-ed25519 {base64.b64encode(self.blob).decode()} tests"

    def sign(self, data: bytes, **changed) -> str:
        parts = {name: changed[name] for name in ("namespace", "reserved", "digest") if name in changed}
        made = field(b"ssh-ed25519") + field(self.private.sign(message(data, **parts)))
        return envelope(changed.get("key", self.blob), changed.get("signature", made), **parts)


class SecurityKeyEd25519:
    """What a hardware key with Ed25519 answers (PROTOCOL.u2f)."""

    algorithm = b"sk-ssh-ed25519@openssh.com"

    def __init__(self, application: bytes = b"ssh:") -> None:
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
        self.application = application
        self.blob = field(self.algorithm) + field(self.private.public_key().public_bytes_raw()) + field(application)
        self.line = f"{self.algorithm.decode()} {base64.b64encode(self.blob).decode()} token"

    def raw(self, covered: bytes) -> bytes:
        return self.private.sign(covered)

    def sign(self, data: bytes, flags: int = 1, counter: int = 7, claimed: int | None = None) -> str:
        stamp = bytes([flags]) + counter.to_bytes(4)
        covered = hashlib.sha256(self.application).digest() + stamp + hashlib.sha256(message(data)).digest()
        shown = bytes([flags if claimed is None else claimed]) + counter.to_bytes(4)
        return envelope(self.blob, field(self.algorithm) + field(self.raw(covered)) + shown)


class SecurityKeyEcdsa(SecurityKeyEd25519):
    """The same with P-256."""

    algorithm = b"sk-ecdsa-sha2-nistp256@openssh.com"

    def __init__(self, application: bytes = b"ssh:") -> None:
        self.key = ec.derive_private_key(12345, ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        point = b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
        self.application = application
        self.blob = field(self.algorithm) + field(b"nistp256") + field(point) + field(application)
        self.line = f"{self.algorithm.decode()} {base64.b64encode(self.blob).decode()} token"

    def raw(self, covered: bytes) -> bytes:
        first, second = decode_dss_signature(self.key.sign(covered, ec.ECDSA(hashes.SHA256())))
        return mpint(first) + mpint(second)


def rsa_blob(key: rsa.RSAPrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return field(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n)


def rsa_signature(key: rsa.RSAPrivateKey, data: bytes, scheme: bytes, digest: hashes.HashAlgorithm) -> str:
    made = key.sign(message(data), PKCS1v15(), digest)
    return envelope(rsa_blob(key), field(scheme) + field(made))
