"""What `codesync login` remembers: a file that only its owner can read. The environment wins over it."""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from codesync.errors import Mistake
from codesync.transport import address_of

VARIABLES = {
    "url": "CODESYNC_URL",
    "token": "CODESYNC_TOKEN",
    "project": "CODESYNC_PROJECT",
    "signing_key": "CODESYNC_SIGNING_KEY",
}


@dataclass(frozen=True)
class Settings:
    """Where to go, as whom, and with which key to sign."""

    url: str = ""
    token: str = ""
    project: str = ""
    signing_key: str = ""
    token_id: str = ""
    token_created_at: str = ""
    token_expires_at: str = ""


def folder() -> Path:
    """Ours below XDG_CONFIG_HOME (XDG Base Directory Specification), else below ~/.config."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "codesync"


def file() -> Path:
    """The file, whether it is there or not."""
    return folder() / "config.json"


def allowed_signers() -> Path:
    """The keys whose signatures are believed, in the format of ssh-keygen."""
    return folder() / "allowed_signers"


def stored() -> Settings:
    """What the file says; nothing where there is none. Raises Mistake for one that is damaged or open to others."""
    try:
        mode, text = file().stat().st_mode, file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except OSError as problem:
        raise Mistake(f"{file()} cannot be read: {problem.strerror}.") from problem
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Mistake(f"{file()} holds a token and others can read it. Run `chmod 600 {file()}`.")
    return _read(text)


def effective(given: Mapping[str, str]) -> Settings:
    """The file's settings under the environment's under those given on the command line.

    A token of the file goes with the address of the file: to another address it is never sent.
    """
    kept = stored()
    asked = {name: given.get(name) or os.environ.get(variable, "") for name, variable in VARIABLES.items()}
    asked = {name: value for name, value in asked.items() if value}
    if "url" in asked:
        asked["url"] = address_of(asked["url"])
    if asked.get("url", kept.url) != kept.url:
        kept = Settings(signing_key=kept.signing_key)
    if "token" in asked:
        kept = replace(kept, token_id="", token_created_at="", token_expires_at="")
    return replace(kept, **asked)


def keep(settings: Settings) -> Path:
    """Write the file anew, whole or not at all, readable by its owner only."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder(), prefix="config-")  # mkstemp: mode 600 from the first byte on
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump({name: value for name, value in asdict(settings).items() if value}, stream, indent=2)
        stream.write("\n")
    return Path(name).replace(file())


def forget() -> bool:
    """Remove the file; whether there was one."""
    there = file().exists()
    file().unlink(missing_ok=True)
    return there


def _read(text: str) -> Settings:
    damaged = Mistake(f"{file()} is damaged. Remove it and run `codesync login` again.")
    try:
        said = json.loads(text)
    except ValueError as problem:
        raise damaged from problem
    names = {one.name for one in fields(Settings)}
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise damaged
    return Settings(**{name: value for name, value in said.items() if name in names})
