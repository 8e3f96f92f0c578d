"""Telling a FHIR server: the change in its own dialect, safely against whoever else writes."""
