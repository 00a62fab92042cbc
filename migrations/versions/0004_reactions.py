"""
Create what reactions to appointments leave: customer engagement, notification requests.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

from migrations.statements import statements

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
