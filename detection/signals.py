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

# Sent before old episodes or their pictures are removed. Arguments: episode_ids. A listener answers
# with those among them that must stay, as a set.
episodes_outdated = Signal()

# Sent from the watch task when a camera was claimed. Arguments: camera (Camera).
camera_watched = Signal()

# Sent from the watch task with each renewal of its lease: a moment to learn what the database says
# of the camera. Arguments: camera_id (int).
watch_renewed = Signal()

# Sent from the watch task before a camera is released. Arguments: camera (Camera).
camera_leaving = Signal()

# Sent before a camera is removed for good, while it can still be reached. Arguments: camera.
camera_removed = Signal()

# Sent after the commit when a camera's view went bad or is good again (`ended_at` is set).
# Arguments: event (HealthEvent).
health_changed = Signal()
