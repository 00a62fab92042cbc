"""
Create the read model of sync failures, and how far each calendar has been compared.

Revision ID: 0003
Revises: 0001
"""

from alembic import op

from migrations.statements import statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
