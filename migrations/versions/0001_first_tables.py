"""
Create the log, what is written with it, and the first read model.

Revision ID: 0001
Revises: nothing
"""

from alembic import op

from migrations.statements import statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
