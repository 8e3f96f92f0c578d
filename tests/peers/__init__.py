"""FHIR servers of others, and small ones of our own for the rules of vendors that nobody can run here."""
