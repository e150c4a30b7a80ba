"""Ways to follow objects from frame to frame."""
