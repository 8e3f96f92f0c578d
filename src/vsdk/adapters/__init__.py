"""The outside world: one folder per concern, one file per foreign system."""
