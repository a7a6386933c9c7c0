"""The kinds of upstreams, by the word that stands in their rows. Each is a module that imports none of the others."""

from collections.abc import Callable

from django.utils.module_loading import import_string

from registry.upstreams.sources.base import Site, Source, Web

KINDS = {
    "artifactory": "registry.upstreams.sources.artifactory.Artifactory",
    "npm": "registry.upstreams.sources.npm.Npm",
    "pypi": "registry.upstreams.sources.pypi.PyPi",
    "registry": "registry.upstreams.sources.registry.Registry",
}


def source_of(kind: str, site: Site, web: Web) -> Source:
    """The source of that kind."""
    make: Callable[[Site, Web], Source] = import_string(KINDS[kind])
    return make(site, web)
