"""Nodes that say yes from memory, and the generation that their leases are of."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("audit_head", sa.Column("generation", sa.BigInteger(), nullable=False, server_default="1"))
    op.create_table(
        "node",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("resource_server_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_us", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_server_id"], ["resource_server.id"], name=op.f("fk_node_resource_server_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_index("uq_node_handle", "node", ["handle"], unique=True)
