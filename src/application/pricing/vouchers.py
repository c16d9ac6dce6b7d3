"""Making vouchers, changing them, and giving them to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from application.ports import UnitOfWork
from application.pricing.queries import PricingQueries, Row
from application.pricing.voucher_files import read_vouchers
from domain.operations.audit import changed
from domain.pricing.deals import Reason, UnsoundDeal, shown
from domain.pricing.vouchers import Voucher, VoucherAssigned, VoucherDetails
from domain.shared.clock import Clock
from domain.shared.errors import FieldFault, refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVoucher:
    """It can be used from `valid_from` on, or at once where that is left out."""

    actor_id: UUID
    details: VoucherDetails


def create_voucher(command: CreateVoucher, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Make a voucher. Raises UnsoundDeal, InvalidValue for its code, or VoucherCodeTaken."""
    now = clock.now()
    voucher = Voucher.create(voucher_id=new_id(), created_by=command.actor_id, at=now, **command.details)
    with uow:
        uow.vouchers.add([voucher])
        _audit(uow, command.actor_id, "vouchers.create", voucher.id, changed({}, audited(voucher)), clock)
        uow.commit()
    return voucher.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVoucher:
    """`details` holds only what changes; `expected_version` is the one that the actor saw, None where any will do."""

    actor_id: UUID
    voucher_id: UUID
    details: VoucherDetails
    expected_version: int | None = None


def change_voucher(command: ChangeVoucher, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change a voucher.

    Raises VoucherNotFound, PreconditionFailed, UnsoundDeal, VoucherCodeTaken, or VoucherRedeemed for what it gives
    once somebody used it.
    """
    with uow:
        voucher = uow.vouchers.get(command.voucher_id)
        refuse_stale(command.expected_version, current=voucher.version)
        before = audited(voucher)
        voucher.change(was_redeemed=uow.vouchers.was_redeemed(voucher.id), at=clock.now(), **command.details)
        uow.vouchers.save(voucher)
        changes = changed(before, audited(voucher))
        if changes["after"] or "code" in command.details:
            _audit(uow, command.actor_id, "vouchers.update", voucher.id, changes, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchVoucher:
    """Put a voucher in use, or take it out of use."""

    actor_id: UUID
    voucher_id: UUID
    expected_version: int | None = None


def activate_voucher(command: SwitchVoucher, *, uow: UnitOfWork, clock: Clock) -> None:
    """Raises VoucherNotFound, PreconditionFailed, VoucherOver, VoucherExhausted or IllegalTransition."""
    with uow:
        voucher = uow.vouchers.get(command.voucher_id)
        refuse_stale(command.expected_version, current=voucher.version)
        before = audited(voucher)
        voucher.activate(at=clock.now())
        _save_switched(uow, command, voucher, before, clock)
        uow.commit()


def deactivate_voucher(command: SwitchVoucher, *, uow: UnitOfWork, clock: Clock) -> None:
    """Raises VoucherNotFound, PreconditionFailed or IllegalTransition."""
    with uow:
        voucher = uow.vouchers.get(command.voucher_id)
        refuse_stale(command.expected_version, current=voucher.version)
        before = audited(voucher)
        voucher.deactivate(at=clock.now())
        _save_switched(uow, command, voucher, before, clock)
        uow.commit()


def _save_switched(
    uow: UnitOfWork, command: SwitchVoucher, voucher: Voucher, before: Mapping[str, object], clock: Clock
) -> None:
    uow.vouchers.save(voucher)
    _audit(uow, command.actor_id, "vouchers.update", voucher.id, changed(before, audited(voucher)), clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignVoucher:
    """Make a voucher these people's."""

    actor_id: UUID
    voucher_id: UUID
    user_ids: Sequence[UUID]


def assign_voucher(command: AssignVoucher, *, uow: UnitOfWork, clock: Clock) -> int:
    """How many had it not before; assigning twice is assigning once.

    Raises VoucherNotFound, or UnsoundDeal naming everybody who has no open account: then nobody gets it.
    """
    now = clock.now()
    with uow:
        voucher = uow.vouchers.get(command.voucher_id)
        _refuse_unknown(command.user_ids, uow.vouchers.unknown_users(command.user_ids))
        added = uow.vouchers.assign(voucher.id, command.user_ids, by=command.actor_id, at=now)
        for user_id in sorted(added):
            uow.publish(VoucherAssigned(at=now, voucher_id=voucher.id, user_id=user_id))
        if added:
            people = sorted(str(user_id) for user_id in added)
            _audit(uow, command.actor_id, "vouchers.assign", voucher.id, changed({}, {"assigned_to": people}), clock)
        uow.commit()
    return len(added)


def _refuse_unknown(user_ids: Sequence[UUID], unknown: frozenset[UUID]) -> None:
    faults = tuple(
        FieldFault(f"/user_ids/{i}", "unknown_user", "there is no open account with this id")
        for i, user_id in enumerate(user_ids)
        if user_id in unknown
    )
    if faults:
        raise UnsoundDeal(faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignVoucher:
    """Take a voucher from somebody; what they redeemed stays redeemed."""

    actor_id: UUID
    voucher_id: UUID
    user_id: UUID


def unassign_voucher(command: UnassignVoucher, *, uow: UnitOfWork, clock: Clock) -> None:
    """Taking it from who has it not changes nothing. Raises VoucherNotFound."""
    with uow:
        voucher = uow.vouchers.get(command.voucher_id)
        if uow.vouchers.unassign(voucher.id, command.user_id):
            taken = changed({"assigned_to": [str(command.user_id)]}, {})
            _audit(uow, command.actor_id, "vouchers.assign", voucher.id, taken, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportVouchers:
    """Codes from CSV: of a voucher that is there already where a template is named, else whole vouchers."""

    actor_id: UUID
    template_id: UUID | None
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """An import, and how many vouchers came with it."""

    id: UUID
    count: int


def import_vouchers(command: ImportVouchers, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Imported:
    """Make a voucher of every line, or of none.

    Raises VoucherNotFound for the template, InvalidValue for what is no such CSV, or UnsoundDeal naming the lines.
    """
    now, import_id = clock.now(), new_id()
    with uow:
        template = uow.vouchers.get(command.template_id).details() if command.template_id is not None else None
        vouchers = read_vouchers(
            command.text,
            template=template,
            make=lambda details: Voucher.create(
                voucher_id=new_id(), created_by=command.actor_id, at=now, import_id=import_id, **details
            ),
            codes_taken=uow.vouchers.codes_taken,
        )
        uow.vouchers.add(vouchers)
        made = {"vouchers": len(vouchers), "template_id": str(command.template_id) if command.template_id else None}
        _audit(uow, command.actor_id, "vouchers.create", import_id, changed({}, made), clock)
        uow.commit()
    return Imported(import_id, len(vouchers))


@dataclass(frozen=True, slots=True)
class CheckedVoucher:
    """What somebody is told of a code: why they cannot use it now, with its figures, or None for both."""

    voucher: Row | None
    reason: Reason | None
    figures: Mapping[str, str]


def check_voucher(code: str, *, holder: UUID, queries: PricingQueries, clock: Clock) -> CheckedVoucher:
    """Whether the holder can use a code now, whatever they buy; the code is as they typed it."""
    known = queries.known_voucher(code, holder=holder)
    if known is None:
        return CheckedVoucher(None, Reason.VOUCHER_UNKNOWN, {})
    reason, figures = known.held.why_not_at(clock.now()) or (None, {})
    return CheckedVoucher(known.row, reason, figures)


def audited(voucher: Voucher) -> dict[str, object]:
    """What the audit log keeps of a voucher. Not its code: that is money to whoever reads it."""
    details = {name: value for name, value in voucher.details().items() if name not in ("code", "schedule")}
    return {**shown(details), **shown(asdict(voucher.schedule)), "status": voucher.status.value}


def _audit(
    uow: UnitOfWork, actor: UUID, action: str, resource_id: UUID, changes: Mapping[str, object], clock: Clock
) -> None:
    uow.audit.add(
        actor=actor, action=action, resource_type="VOUCHER", resource_id=resource_id, changes=changes, at=clock.now()
    )
