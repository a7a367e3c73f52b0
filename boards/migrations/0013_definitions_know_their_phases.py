from django.db import migrations, models


def note_steps(apps, schema_editor):
    """Let the versions that are there know which phases they are about: by the id that they say, else by the name."""
    Definition, Phase = (apps.get_model("boards", name) for name in ("Definition", "Phase"))
    for definition in Definition.objects.all():
        phases = list(Phase.objects.filter(workflow=definition.workflow_id))
        ids = [str(phase.pk) for phase in phases]
        by_name = {phase.name.casefold(): str(phase.pk) for phase in phases if is_part(phase, definition.major)}
        for status in definition.document["statuses"]:
            said = (status.get("settings") or {}).get("id")
            pk = said if said in ids else by_name.get(status["name"].casefold())
            if pk and status["entityType"] == definition.document["entityType"]:
                definition.steps[pk] = status["name"]
        definition.save(update_fields=["steps"])


def is_part(phase, major):
    """Answer whether a phase belongs to a major version: another one may bear its name in a later one."""
    return phase.first_major <= major and (phase.last_major is None or phase.last_major >= major)


class Migration(migrations.Migration):

    dependencies = [
        ('boards', '0012_definitions_are_listed'),
    ]

    operations = [
        migrations.AddField(
            model_name='definition',
            name='steps',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.RunPython(note_steps, migrations.RunPython.noop, elidable=True),
    ]
