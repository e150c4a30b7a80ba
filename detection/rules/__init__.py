"""One behaviour, one file, one class; pure, with time as an argument."""
