"""What the zone editor says: its kinds of zones, and all text that its scripts show."""

from typing import Any

from django.utils.translation import gettext as _

from detection.domain.zones import ZoneKind


def kinds() -> dict[str, dict[str, Any]]:
    """Each kind's name and what it is for, in the order in which they are offered."""
    told = {
        ZoneKind.RESTRICTED: (_("Restricted"), _("Nobody may be here.")),
        ZoneKind.LOITERING: (_("Loitering"), _("People may pass, but not linger.")),
        ZoneKind.ENTRY_LINE: (
            _("Entry line"),
            _("A threshold that nobody may cross inwards while it is armed. The arrow points in."),
        ),
        ZoneKind.DOOR: (_("Door"), _("An entrance that nobody may use while it is armed.")),
        ZoneKind.PROTECTED: (
            _("Protected"),
            _("A wall, window or machine that nobody may change or strike."),
        ),
        ZoneKind.MASK: (_("Mask"), _("Nothing here is looked at.")),
        ZoneKind.PRIVACY: (
            _("Privacy mask"),
            _("Not looked at, and painted over in each picture and video before it is kept."),
        ),
    }
    return {
        kind.value: {
            "label": label,
            "told": text,
            "line": kind is ZoneKind.ENTRY_LINE,
            "hours": not kind.is_mask,
        }
        for kind, (label, text) in told.items()
    }


def words() -> dict[str, str]:
    """Text for the scripts; what stands in braces they fill in."""
    return {
        # drawing
        "new_name": _("{kind} {number}"),
        "drawing": _("Drawing: {kind}. Click or tap to set corners."),
        "drawing_line": _("Drawing an entry line: set its first end, then its second."),
        "drawing_more": _("{count} corners. Close it on the first corner or with Enter."),
        "corner_set": _("Corner {number} set at {x} %, {y} %."),
        "pointer_at": _("{x} %, {y} %"),
        "closed": _("{name} is drawn."),
        "cancelled": _("Drawing cancelled."),
        "too_few": _("A zone needs at least 3 corners; this one has {count}."),
        "crossing": _("The edges of the zone cross; draw it without crossings."),
        "no_area": _("The corners lie on one line, the zone has no area."),
        "one_place": _("The two points of the line are in one place."),
        "two_points": _("A line has 2 points; this one has {count}."),
        "no_name": _("It needs a name."),
        "same_name": _("Another zone of this camera has this name."),
        # shapes, for who hears them
        "zone": _("{name}, {kind}, {count} corners"),
        "zone_off": _("{name}, {kind}, switched off"),
        "corner": _("Corner {number} of {count} of {name}, at {x} %, {y} %"),
        "edge": _("New corner between {number} and {next} of {name}"),
        "moved": _("Moved to {x} %, {y} %."),
        "corner_removed": _("Corner removed; {count} left."),
        "corner_added": _("Corner added; {count} now."),
        "removed": _("{name} removed."),
        "flipped": _("The inside of {name} is now on the other side."),
        "undone": _("Undone."),
        "redone": _("Done again."),
        "nothing_to_undo": _("Nothing to undo."),
        "nothing_to_redo": _("Nothing to do again."),
        # saving
        "unsaved": _("Changes that are not saved"),
        "all_saved": _("Everything is saved"),
        "wrong": _("{count} to correct before it can be saved"),
        "saving": _("Saving …"),
        "no_answer": _("The server did not answer. Nothing is lost; try again."),
        "imported": _("{count} zones read from the file. They are in force once you save."),
        "import_failed": _("The file holds no list of zones."),
        # the form of a zone
        "set_here": _("set here"),
        "off": _("off"),
        # the preview
        "looking": _("Looking at the last 24 hours …"),
        "would_have": _("Who would have triggered in the last 24 hours"),
        "when": _("When"),
    }
