"""`manage.py retention`: which versions of products go by rule; shown, or retired now."""

from typing import Any

from accounts.management.verbs import NounCommand
from registry import retaining


class Command(NounCommand):
    """What the daily round does, at hand."""

    help = "Show which versions of products no rule and no pin keeps, or retire them now instead of tonight."

    def add_verbs(self) -> None:
        for name, handler, what in (
            ("show", self._show, "Show what would go, and change nothing."),
            ("apply", self._apply, "Retire it now; it can be restored for PURGE_GRACE_HOURS."),
        ):
            self.verb(name, handler, what).add_argument("product", nargs="?", default="", help="only this product")

    def _show(self, options: dict[str, Any]) -> None:
        found = list(retaining.plan(options["product"]))
        for product, releases in found:
            self.say(f"{product}: {retaining.in_words(product)}")
            for release in releases:
                self.stdout.write(f"{product} {release.version}")
        count = sum(len(releases) for _, releases in found)
        self.say(f"{count} versions of {len(found)} products would go.")

    def _apply(self, options: dict[str, Any]) -> None:
        self.say(f"{retaining.retire_due(options['product'])} versions were retired.")
