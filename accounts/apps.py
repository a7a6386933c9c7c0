"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who is asking."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have every sign-in noted in the audit trail, and what signs people in taken along and erased."""
        from accounts import github, privacy, second_factor, signing_in, web_login

        signing_in.watch()
        privacy.contributes("github", github.export, github.forget)
        privacy.contributes("second_factor", second_factor.export, second_factor.forget)
        privacy.contributes("terminals", web_login.export, web_login.forget)
