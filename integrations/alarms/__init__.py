"""Ways to sound a camera's siren, tried in the order of the settings table."""
