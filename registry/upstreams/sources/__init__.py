"""The kinds of upstreams, by the word that stands in their rows. Each is a module that imports none of the others."""

from collections.abc import Callable

from django.utils.module_loading import import_string

from registry.upstreams.sources.base import IndexSource, Site, Source, Web

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


def index_source_of(ecosystem: str, site: Site, web: Web) -> IndexSource:
    """What speaks the protocol of the ecosystem's own installers: npm's or Python's."""
    make: Callable[[Site, Web], IndexSource] = import_string(KINDS[ecosystem])
    return make(site, web)
