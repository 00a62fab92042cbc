"""
Note the passes of the reconciler, so that one process of all makes one an interval.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

from migrations.statements import statements

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
