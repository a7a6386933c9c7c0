"""The registry app."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """What is kept, and the rules of keeping it."""

    name = "registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the activities that handle jobs, and the system checks, so that they register themselves."""
        from accounts import auditing, id_tokens, notices, privacy, tokens
        from registry import (  # noqa: F401  # those that are not used here register their jobs
            approving,
            checking,
            configuration,
            counting,
            downloading,
            personal_data,
            products,
            retaining,
            retiring,
            scrubbing,
            storage,
            tasks,
        )

        tasks.periodically("daily")(notices.announce)
        tasks.periodically("daily")(auditing.cut_by_age)
        tasks.periodically("daily")(id_tokens.forget_used)
        tasks.periodically("daily")(tokens.forget_narrow)
        tokens.inherited(products.inherit)
        privacy.contributes("registry", personal_data.export, personal_data.erase)
