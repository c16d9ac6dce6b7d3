"""What vendors and agents are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from domain.partners.bank_accounts import BankAccount
from domain.partners.credit import CreditLimit
from domain.partners.documents import PartnerDocument
from domain.partners.partners import Partner, PartnerStatus
from domain.partners.rates import PartnerRate
from domain.shared.money import Currency, Money
from domain.shared.payees import PayeeType

if TYPE_CHECKING:
    from application.queries import After

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledAccount:
    """A bank account on file, and from when payouts go to it."""

    id: UUID
    partner_id: UUID
    account: BankAccount
    added_by: UUID
    created_at: datetime
    usable_from: datetime


class Partners(Protocol):
    """Profiles with their bank accounts, rates and papers. A profile is locked before anything is added to it."""

    def add(self, partner: Partner) -> None:
        """Raises PartnerExists where the account has a profile in this trade."""
        ...

    def get(self, partner_id: UUID, *, owner: UUID | None = None, payee_type: PayeeType | None = None) -> Partner:
        """The profile, locked; the owner's alone, or of one trade alone, where that is said. Raises PartnerNotFound."""
        ...

    def save(self, partner: Partner) -> None: ...

    def may_book(self, agent_id: UUID) -> bool:
        """Whether an agent's profile is active; an agent without one is taken as before there were profiles."""
        ...

    def status_of_agent(self, agent_id: UUID) -> PartnerStatus | None:
        """Where an agent's profile stands; None without one. It is not locked."""
        ...

    def credit_limit(self, agent_id: UUID, currency: Currency) -> Money:
        """How far below zero an agent's deposit account may stand now."""
        ...

    def add_credit_limit(self, limit: CreditLimit) -> None: ...

    def newest_account(self, partner_id: UUID) -> FiledAccount | None:
        """The bank account that counts, whether or not it has cooled off."""
        ...

    def add_account(self, filed: FiledAccount) -> None: ...

    def add_rate(self, rate: PartnerRate) -> None:
        """Raises RateExists where another begins at the same instant."""
        ...

    def add_document(self, document: PartnerDocument) -> None:
        """A file is about to be written. Raises TooManyDocuments."""
        ...

    def document_stored(self, document_id: UUID, *, at: datetime) -> bool:
        """The file is there; False where its row is gone, because its owner was erased meanwhile."""
        ...

    def document(self, document_id: UUID, *, partner_id: UUID) -> PartnerDocument:
        """A stored paper of this profile, locked. Raises PartnerDocumentNotFound."""
        ...

    def verify_document(self, document: PartnerDocument) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSearch:
    """Which profiles staff look for: of one trade, in a state, by words of company, name or address."""

    payee_type: PayeeType
    status: str | None = None
    q: str | None = None


class PartnerQueries(Protocol):
    """Profiles as their owners and staff see them; bank accounts masked, numbers never."""

    def own(self, user_id: UUID, *, at: datetime) -> Sequence[Row]:
        """The profiles of a person, one for each trade."""
        ...

    def partner(
        self, partner_id: UUID, *, owner: UUID | None = None, payee_type: PayeeType | None = None, at: datetime
    ) -> Row | None:
        """One profile with `bank_account`, `rate` (what is agreed and holds) and `email`."""
        ...

    def search(self, search: PartnerSearch, *, at: datetime, limit: int, after: After | None) -> Sequence[Row]:
        """Profiles of a trade, newest first."""
        ...

    def rates(self, partner_id: UUID) -> Sequence[Row]:
        """What was and will be agreed, newest first."""
        ...

    def credit_limits(self, partner_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        """What was granted, newest first."""
        ...

    def credit_limit(self, limit_id: UUID) -> Row:
        """One that was granted."""
        ...

    def deposits(self, partner_id: UUID) -> Sequence[Row]:
        """Balance, limit and what may still be paid, for each currency that moved or has a limit."""
        ...

    def documents(self, partner_id: UUID, *, today: date) -> Sequence[Row]:
        """Stored papers with `is_expired` and `is_newest` of their kind, newest first."""
        ...

    def document(self, document_id: UUID, *, partner_id: UUID) -> Row | None:
        """storage_key and content_type of a stored paper."""
        ...

    def expiring_documents(
        self, payee_type: PayeeType, *, until: date, today: date, limit: int, after: After | None
    ) -> Sequence[Row]:
        """The newest paper of each kind of each profile, where it ends on or before a day; first those that end first.

        With `partner_id`, `company_name` and `partner_status`.
        """
        ...

    def facts(self, partner_id: UUID) -> Row:
        """What messages tell: user_id, email, first_name, locale, payee_type, company_name, reasons."""
        ...
