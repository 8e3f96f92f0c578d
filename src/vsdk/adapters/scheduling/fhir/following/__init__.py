"""Hearing of changes: by asking for the appointments of some days, and by notifications."""
