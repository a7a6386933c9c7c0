"""How package names and versions stand in addresses (contract section 3, Paths)."""

from urllib.parse import quote

from django.urls import register_converter

SLASH = "%2F"
_SEGMENT = r"[^/\x00-\x1f]+"
_PLAIN = r"(?:(?!%2[Ff])[^/\x00-\x1f])+"
# `versions`, `resolve` and `owners` win over a package of that name under a scope without @;
# `publish` and `stats` are routes of their own. With the slash encoded, every name can be reached.
_SCOPED = rf"@{_PLAIN}/{_SEGMENT}"
_UNSCOPED = rf"(?!(?:publish|stats)(?:/|\Z)){_PLAIN}/(?!(?:versions|resolve|owners)(?:/|\Z)){_SEGMENT}"
_SINGLE = rf"(?!@|(?:publish|stats)(?:/|\Z)){_SEGMENT}|@{_PLAIN}%2[Ff]{_SEGMENT}"


class NameConverter:
    """A package name: one segment, or a scope and a name; `@scope%2Fname` is the same package as `@scope/name`."""

    regex = f"(?:{_SCOPED}|{_UNSCOPED}|{_SINGLE})"

    def to_python(self, value: str) -> str:
        """The name, its slashes decoded."""
        return value.replace(SLASH, "/").replace(SLASH.lower(), "/")

    def to_url(self, value: str) -> str:
        """The name as it is; addresses of names that need an encoded slash come from `documents.version_url`."""
        return value


class VersionConverter:
    """A version or a dist-tag: one segment."""

    regex = _SEGMENT

    def to_python(self, value: str) -> str:
        """The version, its slashes decoded."""
        return value.replace(SLASH, "/")

    def to_url(self, value: str) -> str:
        """The version with its slashes encoded."""
        return quote(value, safe="+")


class FilenameConverter:
    """The name of a file: one segment, as it is."""

    regex = _SEGMENT

    def to_python(self, value: str) -> str:
        """The name."""
        return value

    def to_url(self, value: str) -> str:
        """The name with everything encoded that could end it."""
        return quote(value, safe="+")


register_converter(NameConverter, "package")
register_converter(VersionConverter, "version")
register_converter(FilenameConverter, "filename")
