"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who is asking."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have every sign-in noted in the audit trail."""
        from accounts import signing_in

        signing_in.watch()
