"""Persistence: visits, links, the mirror of appointments, effects and deadlines in one SQL database."""
