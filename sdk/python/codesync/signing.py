"""SSH signatures (SSHSIG, namespace `codesync`) by the `ssh-keygen` that everybody has; keys never leave it."""

import os
import shutil
import subprocess
from pathlib import Path

from codesync.errors import Mistake, NotVerified

NAMESPACE = "codesync"
USUAL = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")


def choose_key(given: str) -> Path:
    """The key that was named, else the first usual one of ~/.ssh. Raises Mistake."""
    if given:
        key = Path(given).expanduser()
        if not key.is_file():
            raise Mistake(f"There is no key {key}. Name one with --key or CODESYNC_SIGNING_KEY.")
        return key
    folder = Path.home() / ".ssh"
    if found := next((folder / name for name in USUAL if (folder / name).is_file()), None):
        return found
    raise Mistake(
        "There is no key to sign with. Make one with `ssh-keygen -t ed25519`, register its .pub line in your profile, "
        "and name it with --key."
    )


def sign(file: Path, key: Path) -> str:
    """The armored signature over the file; ssh-keygen asks on the terminal for a passphrase or a touch."""
    with file.open("rb") as content:
        done = subprocess.run(
            [program(), "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)], stdin=content, capture_output=True,
            check=False,
        )  # fmt: skip
    if done.returncode:
        raise Mistake(f"ssh-keygen could not sign with {key}: {_last_line(done.stderr)}")
    return done.stdout.decode()


def find_signer(signature: Path, signers: Path) -> str:
    """Whose signature it is according to the allowed-signers file. Raises NotVerified."""
    done = subprocess.run(
        [program(), "-Y", "find-principals", "-s", str(signature), "-f", str(signers)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise NotVerified(f"No key in {signers} made this signature. If you trust its key, add it there.")
    return done.stdout.decode().splitlines()[0]


def verify(file: Path, signature: Path, signers: Path, expected: str = "") -> str:
    """What ssh-keygen says of a good signature by an allowed signer (by the expected one). Raises NotVerified."""
    signer = expected or find_signer(signature, signers)
    command = [program(), "-Y", "verify", "-f", str(signers), "-I", signer, "-n", NAMESPACE, "-s", str(signature)]
    with file.open("rb") as content:
        done = subprocess.run(command, stdin=content, capture_output=True, check=False)
    if done.returncode:
        said = _last_line(done.stdout or done.stderr)
        raise NotVerified(f"The signature of {signer} does not fit: {said} Do not use the file, and tell its project.")
    return done.stdout.decode().strip()


def program() -> str:
    """The path of ssh-keygen. Raises Mistake."""
    found = os.environ.get("SSH_KEYGEN") or shutil.which("ssh-keygen")
    if not found:
        raise Mistake("ssh-keygen is not installed. It comes with OpenSSH (Debian: openssh-client).")
    return found


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].rstrip(".") + "." if lines else "it said nothing."
