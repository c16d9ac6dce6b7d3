"""Everything that is held about people: one list, from which erasure and export are made.

A table that is missing here fails a test; so does a column that could hold something personal and of
which nothing is said.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column

from infrastructure.database.billing.personal_data import HOLDINGS as BILLING
from infrastructure.database.catalogue.personal_data import HOLDINGS as CATALOGUE
from infrastructure.database.holdings import Holding
from infrastructure.database.identity.personal_data import HOLDINGS as IDENTITY
from infrastructure.database.identity.proof_tables import second_factors
from infrastructure.database.ledger.personal_data import HOLDINGS as LEDGER
from infrastructure.database.ledger.wallet_tables import withdrawals
from infrastructure.database.membership.personal_data import HOLDINGS as MEMBERSHIP
from infrastructure.database.messaging.personal_data import HOLDINGS as MESSAGING
from infrastructure.database.operations.personal_data import HOLDINGS as OPERATIONS
from infrastructure.database.partners.personal_data import HOLDINGS as PARTNERS
from infrastructure.database.partners.tables import partner_bank_accounts
from infrastructure.database.payouts.earning_personal_data import HOLDINGS as EARNINGS
from infrastructure.database.payouts.personal_data import HOLDINGS as PAYOUTS
from infrastructure.database.payouts.tables import payouts
from infrastructure.database.platform.personal_data import HOLDINGS as PLATFORM
from infrastructure.database.pricing.personal_data import HOLDINGS as PRICING
from infrastructure.database.privacy.personal_data import HOLDINGS as PRIVACY
from infrastructure.database.sales.personal_data import HOLDINGS as SALES
from infrastructure.database.sales.tables import booking_amendments, booking_travelers

PERSONAL_DATA: Final[tuple[Holding, ...]] = (
    *IDENTITY, *MEMBERSHIP, *CATALOGUE, *PRICING, *SALES, *BILLING, *LEDGER, *PARTNERS, *EARNINGS, *PAYOUTS, *MESSAGING,
    *PRIVACY, *OPERATIONS, *PLATFORM,
)  # fmt: skip

ENCRYPTED: Final[tuple[Column[bytes], ...]] = (
    booking_travelers.c.document_number_encrypted,
    booking_amendments.c.travelers_encrypted,
    second_factors.c.secret_encrypted,
    withdrawals.c.destination_encrypted,
    partner_bank_accounts.c.details_encrypted,
    payouts.c.destination_encrypted,
)
"""Every encrypted column: what `altayar keys rotate` reads and writes. A test finds what is missing."""
