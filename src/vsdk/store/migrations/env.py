"""Run by alembic for each command; the connection comes from `vsdk.store.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
