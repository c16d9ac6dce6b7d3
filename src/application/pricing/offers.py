"""Making offers, changing them, letting them run and stopping them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from application.ports import UnitOfWork
from domain.operations.audit import changed
from domain.pricing.deals import refuse, shown
from domain.pricing.offers import Offer, OfferDetails
from domain.shared.clock import Clock
from domain.shared.errors import FieldFault, refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOffer:
    actor_id: UUID
    details: OfferDetails


def create_offer(command: CreateOffer, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Begin an offer as a draft that nobody gets. Raises UnsoundDeal."""
    with uow:
        details = _known(command.details, uow)
        offer = Offer.create(offer_id=new_id(), created_by=command.actor_id, at=clock.now(), **details)
        uow.offers.add(offer)
        _audit(uow, command.actor_id, offer, {}, clock)
        uow.commit()
    return offer.id


def _known(details: OfferDetails, uow: UnitOfWork) -> OfferDetails:
    """The details with each tier and item once. Raises UnsoundDeal naming, as they were sent, those there are not."""
    tiers, items = details.get("membership_tiers", ()), details.get("target_item_ids", ())
    if tiers:
        _refuse_unknown("membership_tiers", tiers, uow.offers.unknown_tiers(tiers), "unknown_tier")
    if items:
        _refuse_unknown("target_item_ids", items, uow.offers.unknown_items(items), "unknown_item")
    once = {name: tuple(dict.fromkeys(details[name])) for name in _LISTS if name in details}
    return {**details, **once}  # type: ignore[typeddict-item]


_LISTS: Final = ("membership_tiers", "target_item_ids")


def _refuse_unknown(name: str, sent: Sequence[str | UUID], unknown: Collection[str | UUID], code: str) -> None:
    places = (place for place, one in enumerate(sent) if one in unknown)
    refuse(FieldFault(f"/{name}/{place}", code, "there is no such thing") for place in places)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOffer:
    """`details` holds only what changes; `expected_version` is the one that the actor saw, None where any will do."""

    actor_id: UUID
    offer_id: UUID
    details: OfferDetails
    expected_version: int | None = None


def change_offer(command: ChangeOffer, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change an offer; what was booked keeps its price. Raises OfferNotFound, PreconditionFailed or UnsoundDeal."""
    with uow:
        offer = uow.offers.get(command.offer_id)
        refuse_stale(command.expected_version, current=offer.version)
        before = _audited(offer)
        offer.change(at=clock.now(), **_known(command.details, uow))
        _save(uow, command.actor_id, offer, before, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOffer:
    """Let an offer run, or stop it."""

    actor_id: UUID
    offer_id: UUID
    expected_version: int | None = None


def activate_offer(command: SwitchOffer, *, uow: UnitOfWork, clock: Clock) -> None:
    """Raises OfferNotFound, PreconditionFailed, OfferOver or IllegalTransition."""
    with uow:
        offer = uow.offers.get(command.offer_id)
        refuse_stale(command.expected_version, current=offer.version)
        before = _audited(offer)
        offer.activate(at=clock.now())
        _save(uow, command.actor_id, offer, before, clock)
        uow.commit()


def disable_offer(command: SwitchOffer, *, uow: UnitOfWork, clock: Clock) -> None:
    """Raises OfferNotFound, PreconditionFailed or IllegalTransition."""
    with uow:
        offer = uow.offers.get(command.offer_id)
        refuse_stale(command.expected_version, current=offer.version)
        before = _audited(offer)
        offer.disable(at=clock.now())
        _save(uow, command.actor_id, offer, before, clock)
        uow.commit()


def _save(uow: UnitOfWork, actor: UUID, offer: Offer, before: Mapping[str, object], clock: Clock) -> None:
    uow.offers.save(offer)
    if _audited(offer) != before:
        _audit(uow, actor, offer, before, clock)


def _audited(offer: Offer) -> dict[str, object]:
    return {**shown(offer.details()), "status": offer.status.value}


def _audit(uow: UnitOfWork, actor: UUID, offer: Offer, before: Mapping[str, object], clock: Clock) -> None:
    uow.audit.add(
        actor=actor,
        action="offers.manage",
        resource_type="OFFER",
        resource_id=offer.id,
        changes=changed(before, _audited(offer)),
        at=clock.now(),
    )
