"""The rows of licensing: the policy over licenses of others, and the keys to packages of our own that are sold."""

from licensing.models.keys import LicensedPackage, LicenseKey
from licensing.models.policies import Category, LicensePolicy
from licensing.models.references import ReferenceData

__all__ = ["Category", "LicenseKey", "LicensePolicy", "LicensedPackage", "ReferenceData"]
