"""Use cases: everything that the server and the command line can ask for."""
