"""Arabic: Western digits with a point, as cameras, players and drawings (SVG, CSS) write them."""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
