"""
Keep in the list whether what Cal.com makes is still the booking's own, which a question to a person hides.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

from migrations.statements import statements

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
