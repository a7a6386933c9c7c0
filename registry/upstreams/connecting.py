"""From an upstream's row to its source: the address, the unsealed credential, the patterns, the limits."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote, urlsplit

from accounts import sealing
from registry.upstreams import guarding, sources
from registry.upstreams.asking import Safe, Terms
from registry.upstreams.models import Upstream
from registry.upstreams.sources.base import IndexSource, Site, Source, Wanted

PURPOSE = "upstream"
ECOSYSTEMS = {Upstream.Kind.NPM: "npm", Upstream.Kind.PYPI: "pypi"}
API_KEY_HEADERS = {Upstream.Kind.ARTIFACTORY: "X-JFrog-Art-Api"}


def connected(upstream: Upstream) -> tuple[Source, Safe]:
    """The source of the upstream, and the way to it, which counts its requests. Nothing is asked yet.

    Raises NotAllowed where the address may not be visited.
    """
    web = Safe(upstream.base_url, terms_of(upstream))
    return sources.source_of(upstream.kind, site_of(upstream), web), web


def index_of(upstream: Upstream, ecosystem: str) -> tuple[IndexSource, Safe]:
    """The source that an installer of that ecosystem would ask there, and the way to it. Nothing is asked yet.

    Artifactory and portals like this one speak the protocols of npm and Python below addresses of their own.
    Raises NotAllowed where the address may not be visited.
    """
    site, web = site_of(upstream), Safe(upstream.base_url, terms_of(upstream))
    base, key = site.base_url.rstrip("/"), quote(upstream.repository, safe="")
    if upstream.kind == Upstream.Kind.ARTIFACTORY:
        base = base if urlsplit(base).path else f"{base}/artifactory"
        site = replace(site, base_url=f"{base}/api/{ecosystem}/{key}")
    elif upstream.kind == Upstream.Kind.REGISTRY:
        site = replace(site, base_url=f"{base}/{ecosystem}")
    return sources.index_source_of(ecosystem, site, web), web


def ecosystem_of(upstream: Upstream) -> str:
    """What it holds, "" where it holds packages of several ecosystems."""
    return ECOSYSTEMS.get(Upstream.Kind(upstream.kind), upstream.ecosystem)


def site_of(upstream: Upstream) -> Site:
    """Where it is and what is wanted of it."""
    ecosystem = ecosystem_of(upstream)

    @lru_cache(maxsize=4096)
    def is_internal(name: str) -> bool:
        return bool(ecosystem and guarding.internal_among(ecosystem, [name]))

    wanted = Wanted(_globs(ecosystem, upstream.include), _globs(ecosystem, upstream.exclude))
    return Site(upstream.base_url, upstream.repository, ecosystem, wanted, is_internal)


def _globs(ecosystem: str, patterns: Sequence[str]) -> tuple[str, ...]:
    """In the form in which Python indexes spell names (PEP 503), if it is one."""
    return tuple(re.sub("[_.]+", "-", one) if ecosystem == "pypi" else one for one in patterns)


def terms_of(upstream: Upstream) -> Terms:
    """What its admin allows."""
    return Terms(
        private=upstream.allows_private,
        credentials=_credentials(upstream),
        file_limit=upstream.max_file_mb * 2**20,
        requests_per_second=upstream.requests_per_second,
    )


def seal(upstream: Upstream, secret: str) -> None:
    """Put the secret into the row, closed."""
    upstream.secret = sealing.seal(secret, PURPOSE) if secret else ""


def _credentials(upstream: Upstream) -> Mapping[str, str]:
    """The headers of its sign-in."""
    if not upstream.login:
        return {}
    secret = sealing.unseal(upstream.secret, PURPOSE)
    if upstream.login == Upstream.Login.BASIC:
        pair = base64.b64encode(f"{upstream.user_name}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if upstream.login == Upstream.Login.API_KEY:
        return {API_KEY_HEADERS.get(Upstream.Kind(upstream.kind), "X-API-Key"): secret}
    return {"Authorization": f"Bearer {secret}"}
