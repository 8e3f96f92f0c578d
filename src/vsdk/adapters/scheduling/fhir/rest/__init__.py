"""A FHIR server over HTTP: what one may ask it, and how one proves who one is."""
