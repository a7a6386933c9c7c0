"""`manage.py licenses refresh|show`: newer reference data, and what is known of a license."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from licensing import compatibility, describing, listing, reference
from registry.errors import RegistryError
from registry.outgoing import Allowance


class Command(BaseCommand):
    help = "Load newer license data than what ships, or ask what is known of a license."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        load = actions.add_parser("refresh", help="Load OSADL's matrix, or SPDX's licenses.json or exceptions.json.")
        load.add_argument("sources", nargs="+", metavar="FILE_OR_URL")
        load.add_argument("--allow-http", action="store_true", help="Visit http addresses, too")
        load.add_argument("--allow-private", action="store_true", help="Visit addresses in private networks, too")
        ask = actions.add_parser("show", help="What is known of a license or an expression, as JSON.")
        ask.add_argument("license")
        ask.add_argument("--with", dest="other", default="", help="Another one: how do the two get along?")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            if action == "refresh":
                self.refresh(**options)
            else:
                facts = describing.describe(options["license"], options["other"])
                self.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False))
        except RegistryError as problem:
            raise CommandError(str(problem)) from None

    def refresh(self, *, sources: list[str], **options: Any) -> None:
        """Load each source, one after the other, and tell what counts now."""
        allowance = Allowance(http=options["allow_http"], private=options["allow_private"])
        for source in sources:
            loaded = reference.refresh(source, allowance)
            news = "loaded" if loaded.is_new else "held already"
            self.stdout.write(f"{loaded.kind} {loaded.edition}: {loaded.count} entries, {news}.")
        known = listing.in_force()
        self.stdout.write(
            f"In force: {compatibility.source()}; {len(known.licenses)} SPDX licenses and "
            f"{len(known.exceptions)} exceptions."
        )
