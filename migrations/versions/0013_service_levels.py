"""
Create what calls have come to by the minute, how breakers stand that are not shared, and the read model of alerts.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

from migrations.statements import statements

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
