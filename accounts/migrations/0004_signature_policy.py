"""Projects say whether what they publish must be signed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_notices_and_retention")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="signature_policy",
            field=models.CharField(
                choices=[("required", "Every archive is signed"), ("optional", "Unsigned archives are accepted")],
                default="required",
                max_length=16,
            ),
        ),
    ]
