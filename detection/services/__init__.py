"""The verbs of seeing. Each owns its transaction; nothing else writes these tables."""
