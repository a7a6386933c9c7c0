"""The scanning app."""

from django.apps import AppConfig


class ScanningConfig(AppConfig):
    """Is it safe: advisories, scans, findings and waivers."""

    name = "scanning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the jobs, contribute a person's waivers to what they may take along, listen to decisions."""
        from accounts import privacy
        from registry import signals
        from registry.management import diagnosis
        from scanning import (  # noqa: F401  # which register jobs
            diagnosing,
            figures,
            notifying,
            personal_data,
            recalling,
            redrawing,
            rescanning,
            sources,
            telling,
            waiving,
        )

        if diagnosing.look_at_scanners not in diagnosis.WITHOUT_DATABASE:
            diagnosis.WITHOUT_DATABASE.append(diagnosing.look_at_scanners)
        privacy.contributes("scanning", personal_data.export, personal_data.erase)
        signals.decision_recorded.connect(notifying.on_decision, dispatch_uid="scanning.notifying")
