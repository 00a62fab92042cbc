"""
Note the passes of the reconciler, so that one process of all makes one an interval.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

from migrations.statements import statements

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
