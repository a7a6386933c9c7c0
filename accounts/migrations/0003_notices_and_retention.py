"""Remember whom an expiry was announced to and where the audit trail was cut; only a noted cut may delete."""

from django.db import migrations, models

# SQLite knows no TRUNCATE: emptying the whole table from its oldest row on stays possible there (and is found).
SQLITE = (
    "DROP TRIGGER IF EXISTS audit_events_last",
    """
    CREATE TRIGGER audit_events_last BEFORE DELETE ON accounts_auditevent
    WHEN OLD.seq > (SELECT COALESCE(MAX(cut_seq), 0) FROM accounts_audithead)
        AND EXISTS (SELECT 1 FROM accounts_auditevent WHERE seq < OLD.seq)
    BEGIN SELECT RAISE(ABORT, 'only audit events before the noted cut may be dropped'); END
    """,
)
POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION audit_events_stay() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD.seq <= (SELECT COALESCE(MAX(cut_seq), 0) FROM accounts_audithead) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'only audit events before the noted cut may be dropped'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RAISE EXCEPTION 'audit events are append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
)
DO = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def guard(apps, schema_editor):
    """Let the triggers of this database look at the noted cut."""
    for statement in DO.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    """SQLite cannot rebuild a table that a trigger reads, so going back takes that trigger away."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS audit_events_last")


class Migration(migrations.Migration):
    """Two columns for the cut, one for the notice."""

    dependencies = [("accounts", "0002_audit_is_append_only")]
    operations = [
        migrations.AddField("apitoken", "notified_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("audithead", "cut_seq", models.BigIntegerField(default=0)),
        migrations.AddField("audithead", "cut_hash", models.CharField(default="0" * 64, max_length=64)),
        migrations.RunPython(guard, unguard),
    ]
