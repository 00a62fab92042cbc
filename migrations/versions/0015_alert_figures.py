"""
Keep how the figures of alerts go on.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

from migrations.statements import statements

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
