"""Real processes: workers, broker, cameras, back end."""
