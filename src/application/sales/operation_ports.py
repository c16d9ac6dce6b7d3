"""What mass operations need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from application.catalogue.queries import Row
from domain.sales.departure_operations import DepartureOperation, ItemStatus

if TYPE_CHECKING:
    from application.queries import After


class DepartureOperations(Protocol):
    """Mass operations and their items.

    Locks are taken in one order: a worker takes one item, then its booking, then departures; whoever orders, tries
    again or finishes takes the departure, then the operation.
    """

    def add(self, operation: DepartureOperation) -> int:
        """Store it with an item for each of the departure's bookings, and of those that an amendment which waits would
        bring to it; how many seats the departure's own have.

        The caller holds the departure's lock, and has closed it.
        """
        ...

    def read(self, operation_id: UUID) -> DepartureOperation:
        """The operation as it stands, not locked and not to be changed. Raises OperationNotFound."""
        ...

    def get(self, operation_id: UUID) -> DepartureOperation:
        """The operation, locked. Raises OperationNotFound."""
        ...

    def open_of(self, departure_id: UUID) -> UUID | None:
        """The operation of a departure that is not over."""
        ...

    def open(self) -> Sequence[UUID]:
        """Every operation that is not over, oldest first."""
        ...

    def pending(self, operation_id: UUID, *, after: UUID, limit: int) -> Sequence[UUID]:
        """Bookings that are still to be tried, in the order of their ids, behind one."""
        ...

    def claim(self, operation_id: UUID, booking_id: UUID) -> bool:
        """Lock an item that is still to be tried; False where another has it, or it has been tried."""
        ...

    def settle(
        self, operation_id: UUID, booking_id: UUID, status: ItemStatus, *, error: str | None = None, at: datetime
    ) -> None:
        """Say what became of an item that was still to be tried; `error` is the code of what refused it."""
        ...

    def counts(self, operation_id: UUID) -> Mapping[ItemStatus, int]:
        """How many items are in each state; states of none are left out."""
        ...

    def try_failed_again(self, operation_id: UUID) -> None:
        """Every item that failed is still to be tried."""
        ...


class OperationQueries(Protocol):
    """Mass operations as staff see them."""

    def operations(self, *, departure_id: UUID | None, limit: int, after: After | None) -> Sequence[Row]:
        """With how many items are in each state, newest first; one row more than `limit`."""
        ...

    def operation(self, operation_id: UUID) -> Row | None: ...

    def items(self, operation_id: UUID, *, status: str | None, limit: int, after: UUID | None) -> Sequence[Row]:
        """Bookings of an operation by id, with what became of them; one row more than `limit`."""
        ...

    def preview(self, departure_id: UUID) -> Row | None:
        """What an operation would be about: bookings, paid and unpaid ones, seats, money by currency, who waits."""
        ...

    def moved_facts(self, booking_id: UUID, operation_id: UUID) -> Row:
        """What messages about a moved booking say, and to whom. Raises NotFound."""
        ...
