# ruff: noqa: N999  # the command's name is what people type
"""`manage.py registry-key show|rotate|sign`: the key that signs what this registry serves to npm's clients."""

from typing import Any

from django.db import transaction

from accounts.actors import SYSTEM
from accounts.management.verbs import NounCommand
from registry import documents, ecosystems, signing
from registry.models import Artifact, Package, RegistrySignature, Release


class Command(NounCommand):
    """The registry's signing keys."""

    help = "Show the keys that sign what npm's clients check (`npm audit signatures`), or make a new one."

    def add_verbs(self) -> None:
        self.verb("show", self._show, "The keys that clients are told, the newest first.")
        rotate = self.verb("rotate", self._rotate, "Make a new key. What the old one has signed stays good.")
        rotate.add_argument(
            "--revoke", action="store_true", help="trust the old key no more, and sign everything anew: it leaked"
        )
        self.verb("sign", self._sign, "Sign whatever is served without a signature that counts; safe to repeat.")

    def _show(self, options: dict[str, Any]) -> None:
        for key in signing.told_keys():
            until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "signs"
            self.stdout.write(f"{key.keyid}  {key.scheme}  {until}")

    def _rotate(self, options: dict[str, Any]) -> None:
        made = signing.rotate(SYSTEM, revoke=options["revoke"])
        self.stdout.write(f"{made.keyid} signs from now on.")
        if options["revoke"]:
            self._sign(options)

    def _sign(self, options: dict[str, Any]) -> None:
        """Package by package, each in a transaction of its own: whoever breaks it off goes on with the next call."""
        slugs = [one.slug for one in ecosystems.ALL if one.signed_line("a", "1.0.0", "")]
        signed = RegistrySignature.objects.filter(key__revoked_at=None).values("artifact")
        unsigned = Artifact.objects.filter(
            blob__isnull=False, release__status=Release.Status.APPROVED, release__package__ecosystem__in=slugs
        ).exclude(pk__in=signed)
        done = 0
        for package in Package.objects.filter(pk__in=unsigned.values("release__package")).iterator(500):
            with transaction.atomic():
                documents.hold(package.pk)
                documents.rebuild(package)
            done += 1
        self.stdout.write(f"{done} packages were signed and built anew.")
