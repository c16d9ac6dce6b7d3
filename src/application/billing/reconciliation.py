"""The reconciler: asks providers about every attempt that no webhook finished, whatever was lost on the way.

It works by scanning tables. Rows are claimed, and their next time set, before a provider is asked: two
reconcilers at once do not repeat each other, and one that dies leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from application.billing.chasing_ports import Chasing, DueAttempt
from application.billing.checkouts import checkout_request, keep_checkout
from application.billing.ports import Gateways, PaymentGateway
from application.billing.returns import ReturnPage
from application.billing.webhooks import process_webhook, read_back
from application.ports import NewUnitOfWork
from application.trying_again import tried_again
from domain.billing.chasing import Chase, Draw
from domain.billing.payments import AttemptStatus
from domain.sales.holds import CodeTerms
from domain.shared.clock import Clock
from domain.shared.errors import DomainError, Unavailable
from domain.shared.identifiers import NewId

ANSWER_LOST_AFTER: Final = timedelta(minutes=2)
"""Older than this, an attempt without the provider's answer was left by a process that died (calls end in 10 s)."""
REPEATED_WITHIN: Final = timedelta(hours=23)
"""A creation is repeated for so long: providers forget their idempotency keys after a day."""
PAUSE_OF_WEBHOOKS: Final = timedelta(minutes=4)
ADOPTED_WITHIN: Final = timedelta(days=2)
AT_ONCE: Final = 10
"""So many are claimed at a time: a provider that stops answering delays no more of them than these."""
MOST_TROUBLES: Final = 3
"""After so many calls in a row without an answer a provider is left alone until the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePayments:
    """One run: at most `limit` attempts of each provider, and `budget` in all, shared fairly among providers."""

    live: bool
    public_url: str
    limit: int = 200
    budget: timedelta = timedelta(seconds=75)
    code_terms: CodeTerms = field(default_factory=CodeTerms)


@dataclass(slots=True)
class Reconciled:
    """What a run did: attempts asked about, without an answer, and whose creation was repeated; webhooks again."""

    asked: int = 0
    unanswered: int = 0
    repeated: int = 0
    webhooks: int = 0
    left_alone: list[str] = field(default_factory=list)
    """Providers that did not answer several times in a row."""


Told = Callable[[], None]


def reconcile_payments(
    command: ReconcilePayments,
    *,
    new_uow: NewUnitOfWork,
    gateways: Gateways,
    returns: ReturnPage,
    clock: Clock,
    new_id: NewId,
    draw: Draw,
    told: Told = lambda: None,
) -> Reconciled:
    """Look at what is due: every provider has its share of the time, so one that hangs holds up none of the others.

    An attempt that cannot be read does not stop the others; it is asked about again later. `told` is called
    after each.
    """
    run = _Run(command, new_uow, gateways, returns, clock, new_id, draw, told, started_at=clock.now())
    names = gateways.names()
    ends_at = run.started_at + command.budget
    for position, name in enumerate(names):
        share = (ends_at - clock.now()) // (len(names) - position)
        run.chase(gateways.get(name), until=clock.now() + share)
    run.look_into_webhooks()
    return run.done


@dataclass(frozen=True, slots=True)
class _Run:
    command: ReconcilePayments
    new_uow: NewUnitOfWork
    gateways: Gateways
    returns: ReturnPage
    clock: Clock
    new_id: NewId
    draw: Draw
    told: Told
    started_at: datetime
    done: Reconciled = field(default_factory=Reconciled)

    def chase(self, gateway: PaymentGateway, *, until: datetime) -> None:
        """Ask one provider about its open attempts, then about paid ones, while it answers and there is time."""
        troubles = 0
        for find in (self._open, self._paid):
            left = self.command.limit
            while left > 0 and self.clock.now() < until and (due := self._claim(gateway, find, min(left, AT_ONCE))):
                left -= len(due)
                for attempt in due:
                    if self.clock.now() >= until:
                        return
                    troubles = 0 if self._ask(gateway, attempt) else troubles + 1
                    if troubles == MOST_TROUBLES:
                        self.done.left_alone.append(gateway.name)
                        return

    def _open(self, chasing: Chasing, provider: str, limit: int) -> Sequence[DueAttempt]:
        before = self.clock.now() - ANSWER_LOST_AFTER
        return chasing.open_attempts(provider, due_by=self.started_at, created_before=before, limit=limit)

    def _paid(self, chasing: Chasing, provider: str, limit: int) -> Sequence[DueAttempt]:
        return chasing.paid_attempts(provider, due_by=self.started_at, limit=limit)

    def _claim(
        self, gateway: PaymentGateway, find: Callable[[Chasing, str, int], Sequence[DueAttempt]], limit: int
    ) -> Sequence[DueAttempt]:
        """Attempts that nobody else asks about now; when they are due next stands before they are asked about."""
        with self.new_uow() as uow:
            due = find(uow.chasing, gateway.name, limit)
            if due:
                uow.chasing.ask_again({one.attempt.attempt_id: self._next(one, gateway) for one in due})
            uow.commit()
        return due

    def _next(self, due: DueAttempt, gateway: PaymentGateway) -> datetime | None:
        chase = Chase(
            status=due.status,
            created_at=due.created_at,
            ends_at=due.ends_at,
            reads=due.reads,
            tells_refunds=gateway.capabilities.tells_refunds,
        )
        return chase.next_at(now=self.clock.now(), draw=self.draw)

    def _ask(self, gateway: PaymentGateway, due: DueAttempt) -> bool:
        """Find out about one attempt; whether its provider answered, or was not to be asked."""
        self.done.asked += 1
        try:
            self._find_out(gateway, due)
        except Unavailable:
            self.done.unanswered += 1
            return False
        except DomainError:
            self.done.unanswered += 1
        finally:
            self.told()
        return True

    def _find_out(self, gateway: PaymentGateway, due: DueAttempt) -> None:
        if due.status is AttemptStatus.CREATED:
            self._lose_answer(due)
        if due.attempt.provider_reference or due.attempt.charge_reference:
            read_back(
                due.attempt,
                new_uow=self.new_uow,
                gateways=self.gateways,
                clock=self.clock,
                new_id=self.new_id,
                live=self.command.live,
            )
        elif self._may_repeat(gateway, due):
            self._repeat(gateway, due)

    def _lose_answer(self, due: DueAttempt) -> None:
        """A process died between its intent and the provider's answer: nobody knows whether it was asked."""
        with self.new_uow() as uow:
            attempt = uow.payments.get(due.attempt.payment_id).attempt(due.attempt.attempt_id)
            if attempt.status is AttemptStatus.CREATED:
                attempt.unknown(error_code="answer_lost", at=self.clock.now())
            uow.commit()

    def _may_repeat(self, gateway: PaymentGateway, due: DueAttempt) -> bool:
        """Whether the provider answers the same creation with the same checkout, still; else a webhook or a person
        has to tell."""
        now = self.clock.now()
        is_open = due.ends_at is None or now < due.ends_at
        return gateway.capabilities.repeats_creation and is_open and now < due.created_at + REPEATED_WITHIN

    def _repeat(self, gateway: PaymentGateway, due: DueAttempt) -> None:
        """Ask for the same checkout again, byte for byte, and keep what its answer says.

        Raises ProviderRefused where it is refused now: the first request may have been taken, so that decides nothing.
        """
        named = due.attempt
        with self.new_uow() as uow:
            payment = uow.payments.get(named.payment_id)
            payer = uow.users.get(payment.user_id)
            attempt = payment.attempt(named.attempt_id)
            request = checkout_request(
                payment, attempt, payer, public_url=self.command.public_url, returns=self.returns
            )
        checkout = gateway.create_checkout(request)
        tried_again(
            lambda: keep_checkout(
                checkout,
                request=request,
                payment_id=named.payment_id,
                code_terms=self.command.code_terms,
                uow=self.new_uow(),
                clock=self.clock,
                new_id=self.new_id,
            )
        )
        self.done.repeated += 1

    def look_into_webhooks(self) -> None:
        """Webhooks that spoke of nothing known: their attempt may be there by now."""
        with self.new_uow() as uow:
            uow.suspense.adopt(since=self.started_at - ADOPTED_WITHIN)
            next_at = self.clock.now() + PAUSE_OF_WEBHOOKS
            waiting = uow.chasing.due_webhooks(due_by=self.clock.now(), next_at=next_at, limit=self.command.limit)
            uow.commit()
        for webhook_id in waiting:
            self.done.webhooks += 1
            try:
                process_webhook(
                    webhook_id,
                    new_uow=self.new_uow,
                    gateways=self.gateways,
                    clock=self.clock,
                    new_id=self.new_id,
                    live=self.command.live,
                )
            except DomainError:
                self.done.unanswered += 1
