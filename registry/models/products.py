"""Products: packages that a build pipeline fills, what each token may do with them, and how long versions are kept."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Product(models.Model):
    """What makes a package a product. A deleted one keeps its row: its name and versions are never anybody else's."""

    package = models.OneToOneField(
        "registry.Package", primary_key=True, on_delete=models.CASCADE, related_name="product"
    )
    keep_versions = models.PositiveIntegerField(
        _("keep the last versions"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("So many of the newest uploads always stay. Empty: no such rule."),
    )  # fmt: skip
    keep_days = models.PositiveIntegerField(
        _("keep younger than days"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("Uploads of the last so many days always stay. Empty: no such rule."),
    )  # fmt: skip
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["package__name"]

    def __str__(self) -> str:
        return self.package.name

    @property
    def has_retention(self) -> bool:
        """Whether versions go by themselves; without a rule all stay."""
        return self.keep_versions is not None or self.keep_days is not None


class ProductGrant(models.Model):
    """What one token may do with one product; `registry.grants` says how far that goes."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="grants")
    token = models.ForeignKey("accounts.ApiToken", on_delete=models.CASCADE, related_name="+")
    maintainer = models.BooleanField(default=False)
    download = models.BooleanField(default=False)
    upload = models.BooleanField(default=False)
    delete_versions = models.BooleanField(_("delete"), default=False)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_shared = models.BooleanField(
        default=False, help_text="To somebody outside of the project, on the word of whoever granted it"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["product", "token"], name="product_grant_once")]

    def __str__(self) -> str:
        return f"{self.token_id} on {self.product_id}"


class ReleasePin(models.Model):
    """That a version stays, whatever retention says."""

    release = models.OneToOneField("registry.Release", on_delete=models.CASCADE, related_name="pin")
    pinned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"pin of {self.release_id}"
