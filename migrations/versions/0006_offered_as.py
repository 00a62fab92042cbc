"""
Keep what a service was offered as beside each claim and appointment, whoever of a group it is.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

from migrations.statements import statements

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
