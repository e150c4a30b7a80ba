"""Files that were kept before there were chains become the first links of their episodes' chains.

A hash taken now proves the file from now on. One that cannot be read has none.
"""

import hashlib
import json

from django.core.files.storage import default_storage
from django.db import migrations, models

BATCH = 500
KINDS = (("snapshot", "image/jpeg"), ("recording", "application/gzip"))


def link_of(said):
    """As detection.services.evidence.link_of was when this was written."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def fingerprint(name):
    try:
        with default_storage.open(name) as file:
            content = file.read()
    except Exception:  # whatever is wrong with a file, the others are migrated
        return 0, ""
    return len(content), hashlib.sha256(content).hexdigest()


def files_of(episode, EvidenceFile):
    previous = ""
    for kind, content_type in KINDS:
        name = getattr(episode, kind)
        if not name:
            continue
        size, sha256 = fingerprint(name)
        said = {
            "episode": str(episode.pk),
            "sequence": episode.evidence_links + 1,
            "kind": kind,
            "name": name,
            "content_type": content_type,
            "size": size,
            "sha256": sha256,
            "facts": {"kept_before_chains": True},
            "kept_at": episode.decided_at.isoformat(timespec="microseconds"),
            "previous": previous,
        }
        previous = link_of(said)
        episode.evidence_links, episode.evidence_head = said["sequence"], previous
        fields = {**said, "kept_at": episode.decided_at, "link": previous}
        del fields["episode"]
        yield EvidenceFile(episode_id=episode.pk, **fields)


def chain(apps, schema_editor):
    alias = schema_editor.connection.alias
    Episode = apps.get_model("detection", "Episode").objects.using(alias)
    EvidenceFile = apps.get_model("detection", "EvidenceFile")
    named = Episode.exclude(snapshot="", recording="").filter(evidence_links=0).order_by("pk")
    ids = list(named.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        fields = ("snapshot", "recording", "decided_at", "evidence_links", "evidence_head")
        episodes = list(Episode.filter(pk__in=ids[start : start + BATCH]).only(*fields))
        files = [file for episode in episodes for file in files_of(episode, EvidenceFile)]
        EvidenceFile.objects.using(alias).bulk_create(files)
        Episode.bulk_update(episodes, ["evidence_links", "evidence_head"], batch_size=BATCH)


def unchain(apps, schema_editor):
    """The columns take the newest names again."""
    alias = schema_editor.connection.alias
    Episode = apps.get_model("detection", "Episode").objects.using(alias)
    EvidenceFile = apps.get_model("detection", "EvidenceFile").objects.using(alias)
    kept = EvidenceFile.filter(removed_at=None, kind__in=[kind for kind, _ in KINDS])
    for file in kept.order_by("sequence").iterator():
        Episode.filter(pk=file.episode_id).update(**{file.kind: file.name})
    EvidenceFile.all().delete()
    Episode.update(evidence_links=0, evidence_head="")


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0006_review_desk"),
    ]

    operations = [
        migrations.RunPython(chain, unchain),
    ]
