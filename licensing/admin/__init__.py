"""Licensing in the admin: the policy, and the sold keys."""

from licensing.admin import keys, policies  # noqa: F401  # registration
