"""FHIR Appointments: read them, find and write the links in them, and speak with servers that hold them."""
