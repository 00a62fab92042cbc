"""
Forget the addresses that Cal.com had made up of phone numbers, so that the real ones can be learned.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

from migrations.statements import statements

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
