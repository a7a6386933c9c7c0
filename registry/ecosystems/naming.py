"""What the names and links of all ecosystems have in common."""

from urllib.parse import quote

from registry.errors import InvalidInput

RESERVED = frozenset({"publish", "stats"})  # words of our own routes, where a name would stand


def refuse_reserved(name: str) -> None:
    """Raise InvalidInput for a name that no address could reach."""
    if name.lower() in RESERVED:
        raise InvalidInput(
            f"“{name}” is a word of this portal's own addresses; choose another name.", code="invalid_name"
        )


def invalid_name(label: str, name: str, why: str) -> InvalidInput:
    """The refusal of a name, worded alike everywhere and short however long the name is."""
    return InvalidInput(f"“{shorten(name)}” is not a valid {label} package name: {why}.", code="invalid_name")


def invalid_version(label: str, version: str, why: str) -> InvalidInput:
    """The refusal of a version, worded alike everywhere."""
    return InvalidInput(f"“{shorten(version)}” is not a valid {label} version: {why}.", code="invalid_version")


def invalid_range(text: str, why: str) -> InvalidInput:
    """The refusal of a version range, worded alike everywhere."""
    return InvalidInput(f"“{shorten(text)}” is not a version range: {why}.", code="invalid_range")


def shorten(text: str, limit: int = 80) -> str:
    """The text in printable characters, cut so that a message stays a sentence."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def purl(kind: str, namespace: str, name: str, version: str) -> str:
    """The package URL in its canonical, percent-encoded spelling."""
    path = [*(part for part in namespace.split("/") if part), name]
    encoded = "/".join(quote(part, safe=":", errors="replace") for part in path)
    return f"pkg:{kind}/{encoded}" + (f"@{quote(version, safe=':', errors='replace')}" if version else "")


def shell_word(text: str) -> str:
    """The text as one word of a command line: quoted where a shell would read a sign in it as something else."""
    if "!" in text:
        return f"'{text}'"
    return f'"{text}"' if {"?", "#"} & set(text) else text
