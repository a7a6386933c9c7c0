from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('upstreams', '0004_releases_know_no_offers'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='offer',
            index=models.Index(fields=['ecosystem', 'normalized'], name='offer_by_name'),
        ),
    ]
