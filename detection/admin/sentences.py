"""What workers, rules and setups say in plain English, as sentences that have translations.

They know nobody's language: they write into the database and into errors. A page says the same in
its reader's language (detection/admin/telling.py) by finding the sentence here. What varies stands
in placeholders; of `what`, `why`, `who` and `kind` the words are translated as well.
"""

from django.utils.translation import gettext_noop as _

REASONS = (
    _("person %(person)s inside “%(zone)s” for %(seconds)s s"),
    _("person %(person)s has lingered in one place for %(seconds)s s"),
    _("person %(person)s has lingered in “%(zone)s” for %(seconds)s s"),
    _("person %(person)s went in by “%(zone)s” and vanished inside"),
    _("person %(person)s went in by “%(zone)s” %(seconds)s s ago"),
    _("person %(person)s tarried at a %(kind)s for %(seconds)s s and is in it"),
    _("person %(person)s paces: %(turns)s turns within %(seconds)s s"),
    _("person %(person)s runs: %(speed)s body heights a second for %(seconds)s s"),
    _("%(count)s people have gathered within %(seconds)s s"),
    _("person %(person)s holds a %(kind)s near person %(other)s, who has both hands up"),
    _("person %(person)s holds a %(kind)s near person %(other)s"),
    _("person %(person)s, on whom %(count)s closed in, %(what)s"),
    _("raises both hands"),
    _("loses what they carried"),
    _("raises both hands and loses what they carried"),
    _("%(kind)s left with person %(person)s, who did not bring it"),
    _("%(kind)s left with person %(person)s, nobody knows whose"),
    _("%(kind)s vanished beside person %(person)s, who did not bring it"),
    _("%(kind)s vanished beside person %(person)s, nobody knows whose"),
    _("%(who)s seem to fight, with a probability of %(share)s, watched for %(seconds)s s"),
    _("%(who)s: violence with a probability of %(share)s, and %(what)s"),
    _("people near each other"),
    _("person %(person)s and somebody near"),
    _("persons %(people)s and %(person)s"),
    _("person %(person)s is down"),
    _("person %(person)s retreats from person %(other)s"),
    _(
        "“%(zone)s” has looked different for %(seconds)s s after somebody was at work on it, "
        "in %(share)s of the picture"
    ),
    _("blows at “%(zone)s”: %(seconds)s s of fast motion in 6 s"),
    _("blows at %(kind)s %(number)s: %(seconds)s s of fast motion in 6 s"),
    _("a model of your own names “%(name)s” in boxes, on average at %(share)s"),
    _("a model of your own names “%(name)s” in frames, on average at %(share)s"),
)

# Things that a reason names: what can be stolen, carried as a weapon, or broken into.
THINGS = (
    *(_("car"), _("motorcycle"), _("bicycle"), _("bus"), _("truck")),
    *(_("knife"), _("gun"), _("baseball bat"), _("scissors")),
    *(_("backpack"), _("handbag"), _("suitcase"), _("umbrella"), _("book")),
    *(_("laptop"), _("cell phone"), _("keyboard"), _("tv"), _("bottle")),
    *(_("skateboard"), _("skis"), _("snowboard"), _("surfboard")),
    *(_("sports ball"), _("tennis racket")),
)

CAMERAS = (
    _("the camera accepts the connection, but says nothing"),
    _("the camera cannot be reached"),
    _("the camera does not answer"),
    _("the camera ended the stream"),
    _("the camera forbids this user the stream"),
    _("the camera knows no such stream: check its path"),
    _("the camera refuses the connection"),
    _("the camera refuses the stream"),
    _("the camera refuses the user or password"),
    _("the camera sent nothing in time"),
    _("the camera serves no more viewers: close others"),
    _("the stream broke (%(name)s)"),
    _("the stream cannot be read: check the camera's codec"),
    _("the stream gave no picture"),
    _("the stream gave no picture and was opened anew"),
    _("the stream has no picture: check its address"),
    _("the stream is open, but no frame comes"),
    _("the stream address names no host: correct it"),
    _("a playlist or an unknown format: give the stream itself"),
    _("no decoder for this stream: set the camera to H.264"),
    _("no frame of it can be decoded"),
    _("no picture since it was opened"),
    _("packets come but no key frame: check the camera's codec settings"),
    _("the picture has %(size)s pixels: use the camera's smaller stream"),
    _("its picture cannot be shown"),
    _("it is no video that can be read, or a damaged one"),
    _("files are no cameras here (ALLOW_FILE_SOURCES is off)"),
    _("%(scheme)s is no camera stream; use rtsp://, http:// or https://"),
    _("the camera's address is no host: correct it"),
    _("%(address)s lies outside of CAMERA_NETWORKS: correct it, or add its network"),
    _("%(address)s is no address of a camera: correct it, or allow it by CAMERA_NETWORKS"),
    _("about %(share)s of the frames are damaged or missing"),
    _("the picture is black: is the lens covered, or the night light off?"),
    _("the lens is covered, sprayed or out of focus"),
    _("the stream goes on, but its picture does not change: restart the camera"),
    _("the camera looks elsewhere than before: turn it back, or redraw its zones"),
    _("the log of the worker has the details"),
)
# How a camera's reason begins, for machines; the sentence after it says the same.
CODES = frozenset(
    {
        *("auth_failed", "bad_address", "bad_credentials", "black", "codec", "covered", "damaged"),
        *("ended", "failed", "frozen", "moved", "no_video", "not_analysed", "not_claimed"),
        *("refused", "stalled", "timed_out", "too_large", "unreachable"),
    }
)

ZONES = (
    _("a zone needs at least 3 corners, this one has %(count)s"),
    _("a line has 2 points, this one has %(count)s"),
    _("corner %(number)s is at (%(x)s, %(y)s), outside 0 to 1"),
    _("point %(number)s is at (%(x)s, %(y)s), outside 0 to 1"),
    _("each corner is a pair [x, y]"),
    _("each point is a pair [x, y]"),
    _("the corners lie on one line, the zone has no area"),
    _("the edges of the zone cross; draw it without crossings"),
    _("the two points of the line are in one place"),
    _("“%(zone)s” is a line and has no area"),
    _("give a number from 0 to 100"),
    _("crime (%(crime)s) must be above alert (%(alert)s)"),
    _("no such rule; there are %(names)s"),
    _("no such option; there are %(names)s"),
    _("no such crime; there are %(names)s"),
    _("holds for a whole camera: set it there"),
)

SCHEDULES = (
    _("line %(number)s: write days, hours and profile, like “mon-fri 07:00-19:00 day”"),
    _("line %(number)s: no profile “%(name)s”; there are %(names)s"),
    _("line %(number)s: “%(name)s” names no days; write mon-fri, or sat,sun"),
    _("line %(number)s: write hours as 07:00-19:00, not “%(name)s”"),
    _("line %(number)s: “%(name)s” is no time; a whole day is 00:00-24:00"),
    _("line %(number)s: “%(name)s” is no hour, 00:00 to 24:00"),
    _("the schedule has no lines; a whole week is “mon-sun 00:00-24:00 day”"),
    _("line %(number)s: %(moment)s is given twice"),
    _("lines %(number)s: %(moment)s is given twice"),
    _("a gap: nothing holds from %(begin)s to %(end)s"),
)

# Of detection/rules/contradictions.py.
SETUPS = (
    _("Zone “%(zone)s” is switched off."),
    _("The whole picture is masked: nothing is watched."),
    _("Zone “%(zone)s” (%(kind)s) has settings of %(what)s, which looks at no zone of this kind."),
    _("Zone “%(zone)s” (%(kind)s) has thresholds of %(what)s, which no rule suspects by its name."),
    _("Zone “%(zone)s” (%(kind)s) is watched by no rule: none looks at zones of this kind."),
    _("Zone “%(zone)s” (%(kind)s) is never watched: %(why)s."),
    _("Zone “%(zone)s” (%(kind)s) lies wholly under a mask."),
    _("No rule is ever armed here: %(why)s."),
    _(
        "%(what)s drops all it sees: least_confidence is %(least)s, and nothing is surer than "
        "%(most)s."
    ),
    _(
        "%(what)s hardly ever alerts: its threshold is %(least)s, and a rule alone is never surer "
        "than %(most)s."
    ),
    _("%(what)s is switched off"),
    _("%(what)s is armed in no profile"),
    _("%(what)s is armed by %(kind)s only, and %(why)s"),
    _("it is %(kind)s by hand"),
    _("the schedule has %(kind)s only"),
)

SIRENS = (
    _("It did not sound: %(why)s"),
    _("It sounded by way of “%(way)s” and is silent again."),
    _(
        "It sounded by way of “%(way)s”, but the camera has not confirmed that it is silent, "
        "and is asked until it does: %(why)s"
    ),
    _("It is silent, as confirmed by %(ways)s. Not by the others: %(why)s"),
    _("It is silent, as confirmed by %(ways)s."),
    _(
        "Confirmed by %(ways)s so far; the camera is asked until it has confirmed that it is "
        "silent: %(why)s"
    ),
    _("An alarm came in between and has the siren now."),
    _("it sounds already, or is being tested"),
    _("sirens are switched off: set SIREN_ENABLED"),
    _("no address is known: enter the camera's address or control address"),
    _("ALARMS names no way"),
    _("this firmware has no manual alarm"),
    _("the camera at %(address)s has no ONVIF relay output"),
    _("the camera at %(address)s does not answer by ONVIF: %(name)s"),
    _("the camera at %(address)s refused by ONVIF with %(name)s"),
    _("the camera at %(address)s does not answer: %(name)s"),
    _(
        "the camera at %(address)s has suspended logins for %(seconds)s s after wrong passwords: "
        "check the camera's password"
    ),
    _(
        "the camera at %(address)s refuses the password: set the camera account's, or the Tapo "
        "password, in the admin"
    ),
    _("failed unforeseen: %(name)s"),
)

REPORTS = (
    _("its reports wait: %(why)s"),
    _("the back end refuses the API key (%(status)s): check MODEL_API_KEY"),
    _("%(path)s is redirected (%(status)s): check BACKEND_URL (http or https?)"),
    _("%(path)s answered %(status)s: %(text)s"),
    _("%(path)s: connection refused"),
    _("%(path)s: no answer in time"),
    _("%(path)s: connection broken"),
    _("connection refused"),
    _("no answer in time"),
    _("connection broken"),
    _("it keeps answering with errors"),
)

SENTENCES = (*REASONS, *THINGS, *CAMERAS, *ZONES, *SCHEDULES, *SETUPS, *SIRENS, *REPORTS)
