"""See crimeops.formats."""
