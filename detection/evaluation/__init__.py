"""How often the shipped defaults are right on clips of which it is known what they show."""
