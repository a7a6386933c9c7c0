"""A second, independent way to sign: PROTOCOL.sshsig written down once more on `cryptography` alone."""

import base64
import hashlib
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NAMES = {"ed25519": "ssh-ed25519", "rsa": "rsa-sha2-512", "ecdsa": "ecdsa-sha2-nistp256"}


def string(data: bytes) -> bytes:
    """A length and the bytes."""
    return struct.pack(">I", len(data)) + data


def mpint(number: int) -> bytes:
    """A positive number as SSH writes it."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


class Signer:
    """A private key in memory."""

    def __init__(self, kind: str = "ed25519", bits: int = 3072) -> None:
        self.kind = kind
        self.key = {
            "ed25519": ed25519.Ed25519PrivateKey.generate,
            "rsa": lambda: rsa.generate_private_key(65537, bits),
            "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        }[kind]()

    @property
    def public(self) -> str:
        """The line that its owner registers."""
        form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        return self.key.public_key().public_bytes(*form).decode()

    def sign(self, data: bytes, namespace: str = "codesync", hash_name: str = "sha512") -> str:
        """The armored signature over the data."""
        digest = hashlib.new(hash_name, data).digest()
        tail = string(namespace.encode()) + string(b"") + string(hash_name.encode())
        value = self._raw(b"SSHSIG" + tail + string(digest))
        blob = b"SSHSIG" + struct.pack(">I", 1) + string(base64.b64decode(self.public.split()[1])) + tail
        blob += string(string(NAMES[self.kind].encode()) + string(value))
        text = base64.b64encode(blob).decode()
        lines = [text[at : at + 70] for at in range(0, len(text), 70)]
        return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])

    def _raw(self, message: bytes) -> bytes:
        if self.kind == "ed25519":
            return self.key.sign(message)
        if self.kind == "rsa":
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA512())
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return mpint(r) + mpint(s)
