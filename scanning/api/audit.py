"""Which of these packages are vulnerable? Asked by names, by package URLs, or with a whole lockfile."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core import validators
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import route
from accounts.api.doors import Door
from accounts.api.parsing import StrictJSONParser
from accounts.api.strict import Choice, StrictSerializer, Text
from registry.advising import LicenseAdvice
from registry.api.shapes import ECOSYSTEMS
from scanning import consulting, lockfiles
from scanning.api.shapes import Audit
from scanning.consulting import Row
from scanning.lockfiles import MOST_PACKAGES, Lockfile, Pin, purls
from scanning.lockfiles.base import LONGEST, LONGEST_LICENSE, LONGEST_NAME, Unnamed, check
from scanning.models import Waiver
from scanning.scanners.base import Flaw


class LongParser(StrictJSONParser):
    """As everywhere, with room for a lockfile inside of the JSON."""

    max_bytes = 12 * 1024 * 1024


class Document(Text):
    """A long text as it came, spaces and all; the parser has refused what no text may hold."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, trim_whitespace=False, **kwargs)
        self.validators = [one for one in self.validators if isinstance(one, validators.MaxLengthValidator)]


class AskedPackage(StrictSerializer):
    """One package in use."""

    ecosystem = Choice(choices=ECOSYSTEMS)
    name = Text(max_length=LONGEST_NAME)
    version = Text(max_length=LONGEST_NAME)


class AskedAudit(StrictSerializer):
    """Exactly one of `packages`, `purls` and `lockfile`."""

    packages = serializers.ListField(child=AskedPackage(), required=False, max_length=MOST_PACKAGES)
    purls = serializers.ListField(child=Text(max_length=purls.LONGEST), required=False, max_length=MOST_PACKAGES)
    lockfile = Document(required=False, help_text="The text of the file: at most 8 MiB, and 5,000 packages")
    license = Text(
        max_length=LONGEST_LICENSE,
        required=False,
        help_text="Of the work that takes these packages in: an SPDX expression, or what people write for one. "
        "Where it is left out, what the lockfile itself names counts",
    )
    format = Choice(
        choices=sorted(lockfiles.NAMES),
        required=False,
        help_text="Of the lockfile; where it is left out, the text tells or is refused",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse none and several."""
        given = [name for name in ("packages", "purls", "lockfile") if name in attrs]
        if len(given) != 1:
            said = "Send exactly one of packages, purls and lockfile."
            raise serializers.ValidationError(dict.fromkeys(given or ["packages", "purls", "lockfile"], said))
        if "format" in attrs and given != ["lockfile"]:
            raise serializers.ValidationError({"format": "A format goes with a lockfile."})
        return attrs


class AuditDoor(Door):
    """`/audit`."""

    is_public = True
    public_methods = ("POST",)
    parser_classes = [LongParser]

    @route("Which of these are vulnerable?", "Security", {200: Audit}, 413, 415, request=AskedAudit)
    def post(self, request: Request) -> Response:
        """What the loaded advisories say, what this portal holds, and whose licenses clash. Nothing is stored.

        Needs no credential; with one, the live waivers of its project are honoured. At most 5,000 packages.
        """
        asked = AskedAudit.read(request.data)
        read = _read(asked)
        answer = consulting.consult(read.pins, self.actor)
        advice = consulting.compare(asked.get("license", ""), read.license, answer, self.actor)
        project = self.actor.project
        body = {
            "results": [_row(row) for row in answer.rows],
            "summary": {**answer.severities, "waived": answer.waived},
            "packages": {"total": len(answer.rows), **answer.statuses},
            "licenses": _licenses(advice) if advice else None,
            "not_judged": [_unnamed(one) for one in read.unnamed],
            "project": project.slug if project else None,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def _read(asked: dict[str, Any]) -> Lockfile:
    if "lockfile" in asked:
        return lockfiles.read(asked["lockfile"], asked.get("format", ""))
    if "purls" in asked:
        return Lockfile([purls.pin_of(text, "", f"purls.{place}") for place, text in enumerate(asked["purls"])])
    return Lockfile(list(_pins(asked["packages"])))


def _pins(packages: Iterable[dict[str, str]]) -> Iterable[Pin]:
    for place, one in enumerate(packages):
        pin = Pin(one["ecosystem"], one["name"], one["version"])
        check(pin, "", f"packages.{place}")
        yield pin


def _row(row: Row) -> dict[str, Any]:
    return {
        "purl": row.pin.purl,
        "status": row.status,
        "reason": row.reason if row.status == consulting.UNKNOWN else None,
        "here": row.standing.status if row.standing else None,
        "vulnerabilities": [_vulnerability(flaw, row.waivers.get(flaw.identifier)) for flaw in row.flaws],
    }


def _vulnerability(flaw: Flaw, waiver: Waiver | None) -> dict[str, Any]:
    return {
        "id": flaw.identifier,
        "kind": flaw.kind,
        "aliases": list(flaw.aliases),
        "severity": flaw.severity,
        "cvss": flaw.cvss,
        "summary": flaw.summary,
        "package": flaw.package,
        "version": flaw.version,
        "fixed_in": flaw.fixed_in or None,
        "url": flaw.url,
        "tools": list(flaw.tools),
        "waived": waiver is not None,
        "waiver": {"id": waiver.pk, "until": waiver.expires_at, "reason": waiver.reason} if waiver else None,
    }


def _licenses(advice: LicenseAdvice) -> dict[str, Any]:
    return {
        "license": advice.license,
        "source": advice.source,
        "fine": advice.fine,
        "unknown": advice.unknown,
        "clashes": [asdict(clash) for clash in advice.clashes],
    }


def _unnamed(one: Unnamed) -> dict[str, Any]:
    return {"line": one.line, "text": one.text, "reason": one.reason}
