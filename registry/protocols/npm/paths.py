"""How names and versions stand in the addresses that npm's clients ask for."""

from django.urls import register_converter

from registry.ecosystems import semver

_PART = r"[^@/\x00-\x1f-][^/\x00-\x1f]*"


_SCOPED = rf"@(?:(?!%2[Ff])[^/\x00-\x1f])+(?:/|%2[Ff]){_PART}"


class NpmNameConverter:
    """`left-pad`, `@scope/name` or `@scope%2fname`, in one spelling: the last two are the same package."""

    regex = rf"(?:{_SCOPED}|{_PART})"

    def to_python(self, value: str) -> str:
        """The name with its slash decoded."""
        return value.replace("%2F", "/").replace("%2f", "/")

    def to_url(self, value: str) -> str:
        """As clients write it in the addresses of files."""
        return value


class NpmScopedConverter(NpmNameConverter):
    """A name that has a scope: what follows it is no package, so it may be any tag."""

    regex = rf"(?:{_SCOPED})"


class NpmVersionConverter:
    """A whole version, or `latest`: anything else behind a first segment is a package of the project named there."""

    regex = r"[^/\x00-\x1f]+"

    def to_python(self, value: str) -> str:
        """The version. Raises ValueError, so that the next pattern is tried, for what cannot be one."""
        if value != "latest" and semver.parse(value) is None:
            raise ValueError
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


class NpmTagConverter:
    """A dist-tag, where nothing else can stand."""

    regex = r"[^-/\x00-\x1f][^/\x00-\x1f]*"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


class TarballConverter:
    """The name of a tarball, below its scope or not: npm has written both."""

    regex = r"(?:@[^/\x00-\x1f]+/)?[^/\x00-\x1f]+\.tgz"

    def to_python(self, value: str) -> str:
        """The file's name alone."""
        return value.rpartition("/")[2]

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


register_converter(NpmNameConverter, "npm-name")
register_converter(NpmScopedConverter, "npm-scoped")
register_converter(NpmTagConverter, "npm-tag")
register_converter(NpmVersionConverter, "npm-version")
register_converter(TarballConverter, "tarball")
