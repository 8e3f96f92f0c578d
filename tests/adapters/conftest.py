"""The servers of others, for the tests of adapters that speak to one."""

from tests.peers.fixtures import http, medplum, sekmet, sekmet_open, smart

__all__ = ["http", "medplum", "sekmet", "sekmet_open", "smart"]
