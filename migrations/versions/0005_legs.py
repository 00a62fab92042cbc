"""
Give the legs of a composite rows of their own.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

from migrations.statements import statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
