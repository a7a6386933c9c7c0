"""Let the database itself refuse to change audit events, or to drop any but the oldest (which retention may)."""

from django.db import migrations

SQLITE = (
    """
    CREATE TRIGGER audit_events_stay BEFORE UPDATE ON accounts_auditevent
    BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END
    """,
    """
    CREATE TRIGGER audit_events_last BEFORE DELETE ON accounts_auditevent
    WHEN EXISTS (SELECT 1 FROM accounts_auditevent WHERE seq < OLD.seq)
    BEGIN SELECT RAISE(ABORT, 'only the oldest audit events may be dropped'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION audit_events_stay() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF NOT EXISTS (SELECT 1 FROM accounts_auditevent WHERE seq < OLD.seq) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'only the oldest audit events may be dropped'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RAISE EXCEPTION 'audit events are append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_events_stay()
    """,
)
UNDO = {
    "sqlite": ("DROP TRIGGER IF EXISTS audit_events_stay", "DROP TRIGGER IF EXISTS audit_events_last"),
    "postgresql": (
        "DROP TRIGGER IF EXISTS audit_events_stay ON accounts_auditevent",
        "DROP FUNCTION IF EXISTS audit_events_stay()",
    ),
}
DO = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def guard(apps, schema_editor):
    """Create the triggers of this database."""
    for statement in DO.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    """Take the triggers away again."""
    for statement in UNDO.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    """Triggers on the audit trail."""

    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
