"""
Let customers be found again by phone and e-mail address, and services have opening hours.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from migrations.statements import statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
