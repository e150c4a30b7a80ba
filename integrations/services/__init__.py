"""The verbs of telling. Each owns its transaction; nothing else writes these tables."""
