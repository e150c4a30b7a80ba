"""What the page says of an episode in the ten seconds that an officer has: the answers to what,
where, when, how sure, why, who was told and whether the siren sounds."""

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from detection.admin.episode_additions import ADDITIONS
from detection.admin.episode_words import duration_of
from detection.admin.presentation import Tone, label, link, moment, plain
from detection.models import Episode, Verdict

Fact = tuple[str, str]


def facts_of(episode: Episode) -> list[Fact]:
    """In the order in which an officer asks."""
    return [
        (_("Where"), _where(episode)),
        (_("When"), _when(episode)),
        (_("How sure"), _sure(episode)),
        (_("Why"), plain(episode.reason)),
        *((_("Told"), line) for line in _told(episode)),
        (_("Verdict"), _verdict(episode)),
        *_flags(episode),
        *([(_("Note"), _note(episode))] if episode.note else []),
    ]


def verdict_said(episode: Episode) -> str:
    """The verdict as a sentence: what, by whom and when."""
    if episode.verdict == Verdict.UNREVIEWED or episode.reviewed_at is None:
        return _("Nobody has reviewed it yet.")
    what = str(episode.get_verdict_display())
    if episode.dismiss_reason:
        what = f"{what} ({episode.get_dismiss_reason_display()})"
    who = str(episode.reviewed_by or _("a former user"))
    at = f"{timezone.localtime(episode.reviewed_at):%Y-%m-%d %H:%M:%S}"
    return _("%(what)s by %(who)s, %(at)s") % {"what": what, "who": who, "at": at}


def _where(episode: Episode) -> SafeString:
    camera = episode.camera
    there = link("detection_camera", camera.pk, camera.name)
    if camera.removed_at is None:
        return there
    gone = _("removed since")
    return format_html('{} <span class="co-soft">{}</span>', there, gone)


def _when(episode: Episode) -> SafeString:
    return format_html(
        '{} <span class="co-soft">· {}</span>', moment(episode.started_at), duration_of(episode)
    )


def _sure(episode: Episode) -> SafeString:
    peak = f"{episode.confidence:.0f} %"
    said = _("crime confirmed") if episode.confirmed_at else _("suspected only")
    return format_html(
        '<strong class="ep-number">{}</strong> <span class="co-soft">{}</span>', peak, said
    )


def _told(episode: Episode) -> list[str]:
    return [line for addition in ADDITIONS if (line := addition.summary(episode))]


def _verdict(episode: Episode) -> str:
    if episode.verdict == Verdict.UNREVIEWED:
        return label(_("To be reviewed"), Tone.ACTIVE)
    tone = Tone.BAD if episode.verdict == Verdict.CONFIRMED else Tone.NEUTRAL
    word = label(str(episode.get_verdict_display()), tone)
    return format_html('{} <span class="co-soft">{}</span>', word, verdict_said(episode))


def _flags(episode: Episode) -> list[Fact]:
    flags = (
        (_("Escalated"), episode.escalated_at, episode.escalated_by),
        (_("On hold"), episode.held_at, episode.held_by),
    )
    return [
        (name, format_html("{}, {}", moment(at), str(who or _("a former user"))))
        for name, at, who in flags
        if at is not None
    ]


def _note(episode: Episode) -> SafeString:
    lines = ((line,) for line in episode.note.splitlines())
    return format_html('<div class="co-note">{}</div>', format_html_join("<br>", "{}", lines))
