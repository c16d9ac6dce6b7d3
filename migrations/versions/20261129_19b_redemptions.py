"""What a voucher or an offer gave a booking moves with the price that it is taken again for, and never otherwise.

Online: a trigger on each table, which lets the release before go on: it never writes these columns again.
"""

from alembic import op

revision = "20261129_19b"
down_revision = "20261129_19"

GIVES = {"voucher": "cashback_minor", "offer": "bonus_points"}
GUARD = """
CREATE FUNCTION keep_{deal}_worth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.discount_applied_minor, NEW.{gives}, NEW.currency)
       IS DISTINCT FROM (OLD.discount_applied_minor, OLD.{gives}, OLD.currency)
       AND (OLD.in_use OR NOT NEW.in_use) THEN
        RAISE EXCEPTION 'what {deal} % gave booking % stays', OLD.{deal}_id, OLD.booking_id USING ERRCODE = 'AL010';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_worth BEFORE UPDATE OF discount_applied_minor, {gives}, currency ON {deal}_redemptions
    FOR EACH ROW EXECUTE FUNCTION keep_{deal}_worth();
"""


def upgrade() -> None:
    for deal, gives in GIVES.items():
        # % stands for itself here.
        op.get_bind().connection.driver_connection.execute(GUARD.format(deal=deal, gives=gives))


def downgrade() -> None:
    for deal in GIVES:
        op.execute(f"DROP TRIGGER keep_worth ON {deal}_redemptions")
        op.execute(f"DROP FUNCTION keep_{deal}_worth")
