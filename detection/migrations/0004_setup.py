from django.db import migrations, models

# Whose dwell the field `dwell_seconds` of a zone was.
DWELL_RULES = {"restricted": "trespassing", "loitering": "loitering"}


def into_settings(apps, schema_editor):
    """A zone's own dwell becomes one of its settings."""
    zones = apps.get_model("detection", "Zone").objects.exclude(dwell_seconds=None)
    for zone in zones.filter(kind__in=DWELL_RULES):
        rule = DWELL_RULES[zone.kind]
        own = zone.rule_settings.get(rule, {})
        zone.rule_settings = {**zone.rule_settings, rule: {**own, "dwell_seconds": zone.dwell_seconds}}
        zone.save(update_fields=["rule_settings"])


def out_of_settings(apps, schema_editor):
    for zone in apps.get_model("detection", "Zone").objects.filter(kind__in=DWELL_RULES):
        options = zone.rule_settings.get(DWELL_RULES[zone.kind], {})
        if "dwell_seconds" in options:
            zone.dwell_seconds = options.pop("dwell_seconds")
            zone.save(update_fields=["rule_settings", "dwell_seconds"])


class Migration(migrations.Migration):

    dependencies = [
        ('detection', '0003_behaviour'),
    ]

    operations = [
        migrations.RunPython(into_settings, out_of_settings),
        migrations.AlterModelOptions(
            name='site',
            options={'verbose_name_plural': 'site'},
        ),
        migrations.RemoveField(
            model_name='zone',
            name='dwell_seconds',
        ),
        migrations.AlterField(
            model_name='auditrecord',
            name='action',
            field=models.CharField(choices=[('login', 'Logged in'), ('logout', 'Logged out'), ('login_failed', 'Failed to log in'), ('locked_out', 'Was locked out'), ('unlocked', 'Unlocked logins'), ('snapshot_viewed', 'Saw the picture'), ('episode_viewed', 'Opened the episode'), ('reviewed', 'Reviewed'), ('resent', 'Sent again'), ('siren_tested', 'Tested the siren'), ('siren_silenced', 'Silenced the siren'), ('armed', 'Armed'), ('added', 'Added'), ('changed', 'Changed'), ('deleted', 'Deleted')], max_length=32),
        ),
    ]
