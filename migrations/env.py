"""Alembic's way in: runs the revisions on the connection and in the transaction that the runner has opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
