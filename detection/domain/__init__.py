"""The vocabulary of watching: pure Python and numpy, no Django, no network, no clock."""
