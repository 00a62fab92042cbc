"""
Keep how many calls were slow when a breaker moved.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

from migrations.statements import statements

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
