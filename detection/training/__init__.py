"""Making the fight model from labelled clips. Nothing that watches cameras imports this."""
