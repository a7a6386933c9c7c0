"""What reading a manifest has in common, whatever its format: faults are refusals, and texts are bounded."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from registry.ecosystems.archives import MIB, Want, refusal, text_of
from registry.errors import InvalidInput, Refused

MANIFEST = Want(MIB, whole=True)
README = Want(MIB // 2)
LICENSE = Want(MIB // 4)

MAX_LICENSE_TEXTS = 32

_LICENSE_NAME = re.compile(r"(?:un)?(?:licen[cs]es?|copying|copyright|notice)(?:[-._].*)?", re.IGNORECASE)
_README_NAME = re.compile(r"readme(?:\.[a-z]+)?", re.IGNORECASE)
_AUTHOR = re.compile(r"\s*([^<(]*)")


def refuse_manifest(file: str, sentence: str) -> Refused:
    """The refusal of a package for what its manifest says, or does not say."""
    return refusal("invalid_manifest", f"{file} {sentence}", file, sentence)


@contextmanager
def refusing(file: str) -> Iterator[None]:
    """Turn InvalidInput (a bad name or version) into the refusal of the package that says so of itself."""
    try:
        yield
    except InvalidInput as error:
        raise refuse_manifest(file, f"is refused: {error.message}") from error


def is_license(name: str) -> bool:
    """Whether a file name (without folders) is one under which people keep licence texts."""
    return _LICENSE_NAME.fullmatch(name) is not None


def is_readme(name: str) -> bool:
    """README with at most one extension."""
    return _README_NAME.fullmatch(name) is not None


def license_texts(kept: Mapping[str, bytes]) -> dict[str, str]:
    """The licence-like files that were kept, as text, at most a few."""
    paths = sorted(path for path in kept if is_license(path.rpartition("/")[2]) or "/licenses/" in path)
    return {path: text_of(kept[path]) for path in paths[:MAX_LICENSE_TEXTS]}


def readme_format(name: str) -> str:
    """markdown, rst or text, by the extension."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return {"md": "markdown", "markdown": "markdown", "mkd": "markdown", "rst": "rst", "": "markdown"}.get(
        extension, "text"
    )


def web_address(text: str) -> str:
    """The address if a browser may follow it, else nothing."""
    text = text.strip()[:2_000]
    return text if text.lower().startswith(("https://", "http://")) and text.isprintable() else ""


def person_name(text: str) -> str:
    """The name in `Name <address> (page)`; the address is personal data and is left out."""
    match = _AUTHOR.match(text)
    return match[1].strip(" \"'")[:200] if match and "@" not in match[1] else ""
