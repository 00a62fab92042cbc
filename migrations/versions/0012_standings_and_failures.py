"""
Keep how everything stood each minute, and how many calls of each service failed.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

from migrations.statements import statements

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
