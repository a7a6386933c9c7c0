"""The exchange: an ID token of a trusted run for a token that publishes one version, within 15 minutes."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts import auditing, id_tokens, projects, tokens
from accounts.actors import Actor
from accounts.id_tokens import IdTokenRefused
from registry import ecosystems
from registry.errors import Forbidden, RegistryError
from registry.gates import STAGE
from registry.models import TrustedPublisher
from registry.trusting import issuing_keys
from registry.trusting.providers import Provider

logger = logging.getLogger(__name__)

LONGEST_NOTED = 300
NOBODY = "No pipeline that is trusted here is the one of this ID token. Ask an owner of the package to trust it."


class Minted(NamedTuple):
    """What the run gets: shown once."""

    raw: str
    expires_at: datetime
    packages: Sequence[str]


def exchange(raw: str, audience: str, ecosystem: str, name: str = "", address: str = "") -> Minted:
    """A token for the package, or for all of the ecosystem that trust this run where none is named.

    It publishes one version of one of them, as the person who said that the run is to be trusted. The answer is the
    same for packages that are not here. Raises IdTokenRefused, Forbidden (nobody trusts it), Unavailable (the issuer
    does not answer). Clients keep silent about what went wrong, so the log says it.
    """
    try:
        return _exchange(raw, audience, ecosystem, name, address)
    except RegistryError as refusal:
        logger.warning("No token for a run that wants %s: %s", (name or ecosystem)[:200], refusal.message)
        raise


def _exchange(raw: str, audience: str, ecosystem: str, name: str, address: str) -> Minted:
    _, kid, issuer = id_tokens.head_of(raw)
    provider = issuing_keys.house_of(issuer)
    if provider is None:
        raise IdTokenRefused("this portal does not listen to its issuer")
    key = issuing_keys.key_of(issuer, kid)
    claims = id_tokens.verify(raw, key, issuer, audience, needs_id=provider.has_ids)
    with transaction.atomic():
        fitting = _fitting(provider, claims, ecosystem, name)
        id_tokens.use_up(claims)
        return _mint(fitting, provider, claims, address)


def _fitting(provider: Provider, claims: Mapping[str, Any], ecosystem: str, name: str) -> list[TrustedPublisher]:
    """The trusts that the run satisfies; of several packages those that one person has said."""
    found = TrustedPublisher.objects.select_related("package__project", "created_by").select_for_update(of=("self",))
    found = found.filter(package__ecosystem=ecosystem)
    found = found.filter(issuer=provider.kept_issuer(claims["iss"], claims), subject=provider.subject_of(claims))
    if name:
        found = found.filter(package__normalized=ecosystems.get(ecosystem).normalize_name(name))
    misfits = {one: provider.misfit(one, claims) for one in found}
    for one, claim in misfits.items():
        if claim:
            logger.warning("The trust %s of %s does not fit a run: %s differs.", one.pk, one.package, claim)
    fitting = [one for one, claim in misfits.items() if not claim and _stands(one)]
    if not fitting:
        raise Forbidden(NOBODY, code="not_trusted")
    first = fitting[0]
    return [
        one
        for one in fitting
        if (one.created_by_id, one.package.project_id) == (first.created_by_id, first.package.project_id)
    ]


def _stands(one: TrustedPublisher) -> bool:
    """Whether the person whose word it is may still publish the package."""
    person = one.created_by
    return person.is_active and projects.may_publish(person, one.package.project)


def _mint(fitting: Sequence[TrustedPublisher], provider: Provider, claims: Mapping[str, Any], address: str) -> Minted:
    first = fitting[0]
    person, project = first.created_by, first.package.project
    names = sorted({word for one in fitting for word in _may(one)})
    actor = Actor(kind="token", user=person, project=project, address=address)
    token, raw = tokens.issue_narrow(person, f"{provider.slug}: {first.subject}", names, project, actor)
    for one in fitting:
        TrustedPublisher.objects.filter(pk=one.pk).update(
            last_used_at=timezone.now(), pinned={**provider.numbers(claims), **one.pinned}
        )
    said = {key: str(claims[key])[:LONGEST_NOTED] for key in provider.noted if claims.get(key) is not None}
    details = {"for": names, "trust": [str(one.pk) for one in fitting], "issuer": claims["iss"], "claims": said}
    auditing.record("token.exchanged", f"token:{token.pk}", actor, details=details, project=project.slug)
    return Minted(raw, token.expires_at, names)


def _may(one: TrustedPublisher) -> list[str]:
    """What the gate `is_what_the_token_is_for` lets the token do."""
    name = f"{one.package.ecosystem}:{one.package.normalized}"
    return [word for word, given in ((name, one.may_publish), (STAGE + name, one.may_stage)) if given]
