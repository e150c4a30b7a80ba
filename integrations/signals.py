"""What telling says to whoever keeps account of it."""

from django.dispatch import Signal

# Sent before an operator tests a siren, when a fault of the account forbids it, and again when he
# has, whatever came of it.
# Arguments: camera (Camera), user (the operator), request (or None), outcome (str).
siren_tested = Signal()

# Likewise, when an officer silences one by hand; `episode` is the one on whose page, or None.
siren_silenced = Signal()

# Likewise, when an officer has one sound again for an episode.
siren_rearmed = Signal()
