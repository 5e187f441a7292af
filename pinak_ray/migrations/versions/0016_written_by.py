"""A memory says which token's subject stored it, where that is not its agent."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column; of what is stored already it is not known."""
    op.execute("ALTER TABLE pinak.memories ADD COLUMN written_by text")


def downgrade() -> None:
    """Forget who stored it."""
    op.execute("ALTER TABLE pinak.memories DROP COLUMN written_by")
