"""The Laravel back end: registry of cameras and receiver of reports."""
