"""What is kept of an episode for those who review it."""
