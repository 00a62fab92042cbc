"""
List the transitions of the circuit breakers.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

from migrations.statements import statements

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in statements(f"{revision}.{connection.dialect.name}.sql"):
        connection.exec_driver_sql(statement)
