"""How seeing speaks without knowing who listens: telling connects to these."""

from django.dispatch import Signal

# Sent from the watch task at the very moment of the decision, before anything is written.
# Arguments: camera_id (int), episode_id (UUID), decided_at (aware datetime).
siren_wanted = Signal()

# Sent when an episode is over, for whatever reason. Arguments: camera_id, episode_id.
siren_unwanted = Signal()

# Sent inside the transaction that writes the step.
# Arguments: episode (Episode), event (EpisodeEvent).
episode_recorded = Signal()

# Sent from the watch task when a camera was claimed. Arguments: camera (Camera).
camera_watched = Signal()

# Sent from the watch task before a camera is released. Arguments: camera (Camera).
camera_leaving = Signal()
