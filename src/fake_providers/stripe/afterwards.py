"""What happens to money that was taken: refunds, disputes, transfers, payouts."""

from __future__ import annotations

import re
from typing import Any

from fake_providers.stripe import objects
from fake_providers.stripe.provider import DISPUTE_FEE, Provider, check_digits
from fake_providers.stripe.refusals import Json, Refusal, malformed, missing

OVER = frozenset({"won", "lost", "warning_closed", "prevented"})


class Afterwards:
    """Acts on the charges of one provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.books = provider.books

    # Refunds

    def refund(self, params: Json) -> Json:
        """Give back a part, never more than is left of the charge."""
        charge = self._charge_of(params)
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if any(one["charge"] == charge["id"] and not one["is_charge_refundable"] for one in self._open_disputes()):
            raise Refusal(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
        amount = params.get("amount", left)
        if not 1 <= amount <= left:
            raise Refusal(f"Refund amount ({amount}) is greater than unrefunded amount ({left}).", param="amount")
        check_digits(amount, charge["currency"], "amount")
        return self._give_back(params, charge, amount)

    def _give_back(self, params: Json, charge: Json, amount: int) -> Json:
        provider = self.provider
        made = objects.refund(params, charge, amount=amount, at=provider.now(), status=provider.refunds_begin)
        self.books.add(made)
        entry = provider.book("refund", "refund", -amount, made)
        made = self.books.put({**made, "balance_transaction": entry["id"]})
        charge = self._refunded(charge["id"], amount)
        provider.tell("refund.created", made)
        provider.tell("charge.refunded", charge)
        return made

    def refund_on_dashboard(self, payment_intent: str, amount: int | None = None) -> Json:
        """Staff refund on Stripe's own page: no reference of ours."""
        params: Json = {"payment_intent": payment_intent} | ({} if amount is None else {"amount": amount})
        with self.books.effect():
            return self.refund(params)

    def finish_refund(self, refund_id: str, status: str = "succeeded", reason: str = "") -> Json:
        """A pending refund ends; a succeeded one may fail still, and its money is back in the balance."""
        with self.books.effect():
            found = self.books.get("refund", refund_id)
            if found["status"] in ("failed", "canceled") or status not in ("succeeded", "failed", "canceled"):
                raise Refusal(f"A refund that is {found['status']} cannot become {status}.")
            found = self.books.put({**found, "status": status, "failure_reason": reason or None})
            if status != "succeeded":
                self.provider.book("refund_failure", "refund_failure", found["amount"], found)
                self._refunded(found["charge"], -found["amount"])
            for kind in ("refund.updated", "charge.refund.updated", *(["refund.failed"] if status == "failed" else [])):
                self.provider.tell(kind, found)
            return found

    def _refunded(self, charge_id: str, amount: int) -> Json:
        charge = self.books.get("charge", charge_id)
        total = charge["amount_refunded"] + amount
        return self.books.put({**charge, "amount_refunded": total, "refunded": total == charge["amount"]})

    def _charge_of(self, params: Json) -> Json:
        if "charge" in params:
            return self.books.get("charge", params["charge"])
        if "payment_intent" not in params:
            raise malformed("One of charge or payment_intent is required.", "payment_intent", "parameter_missing")
        intent = self.books.find(params["payment_intent"])
        if intent is None or intent["object"] != "payment_intent":
            raise missing("payment_intent", params["payment_intent"])
        if not intent["amount_received"]:
            raise Refusal(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        return self.books.get("charge", intent["latest_charge"])

    # Disputes

    def dispute(
        self, payment_intent: str, amount: int | None = None, reason: str = "fraudulent", status: str = "needs_response"
    ) -> Json:
        """The customer's bank questions a charge; an inquiry (`warning_…`) takes no money yet."""
        with self.books.effect():
            charge = self._charge_of({"payment_intent": payment_intent})
            asked = charge["amount"] if amount is None else amount
            made = objects.dispute(charge, amount=asked, at=self.provider.now(), reason=reason, status=status)
            self.books.add(made)
            self.books.put({**charge, "disputed": True})
            self.provider.tell("charge.dispute.created", made)
            if not status.startswith("warning_"):
                self.provider.book("adjustment", "dispute", -asked, made, fee=DISPUTE_FEE)
                self.provider.tell("charge.dispute.funds_withdrawn", made)
            return made

    def close_dispute(self, dispute_id: str, status: str = "won") -> Json:
        """Won or prevented, the money comes back, without the fee; lost, it stays away."""
        with self.books.effect():
            found = self.books.get("dispute", dispute_id)
            if found["status"] in OVER or status not in OVER:
                raise Refusal(f"A dispute that is {found['status']} cannot become {status}.")
            had_taken = not found["status"].startswith("warning_")
            found = self.books.put({**found, "status": status})
            self.provider.tell("charge.dispute.closed", found)
            if had_taken and status != "lost":
                self.provider.book("adjustment", "dispute_reversal", found["amount"], found)
                self.provider.tell("charge.dispute.funds_reinstated", found)
            return found

    def _open_disputes(self) -> list[Json]:
        return [one for one in self.books.all("dispute") if one["status"] not in OVER]

    # Transfers and payouts

    def transfer(self, params: Json) -> Json:
        """To a connected account, as far as the balance reaches."""
        code = params["currency"].lower()
        self.provider.check_amount(params["amount"], code, "amount")
        if not re.fullmatch(r"acct_[A-Za-z0-9]+", params["destination"]):
            raise missing("destination", params["destination"])
        if self.provider.held().get(code, 0) < params["amount"]:
            raise Refusal("You have insufficient available funds in your Stripe account.", code="balance_insufficient")
        made = self.books.add(objects.transfer(params, at=self.provider.now(), live=self.provider.live))
        entry = self.provider.book("transfer", "transfer", -made["amount"], made)
        made = self.books.put({**made, "balance_transaction": entry["id"]})
        self.provider.tell("transfer.created", made)
        return made

    def reverse(self, transfer_id: str, params: Json) -> Json:
        sent = self.books.get("transfer", transfer_id)
        left = sent["amount"] - sent["amount_reversed"]
        amount = params.get("amount", left)
        if not 1 <= amount <= left:
            raise Refusal(f"Amount ({amount}) is greater than what is left of the transfer ({left}).", param="amount")
        made = objects.transfer_reversal(sent, params, amount=amount, at=self.provider.now())
        self.books.add(made)
        self.provider.book("transfer_refund", "transfer_reversal", amount, made)
        returned = sent["amount_reversed"] + amount
        sent = self.books.put({**sent, "amount_reversed": returned, "reversed": returned == sent["amount"]})
        self.provider.tell("transfer.reversed", sent)
        return made

    def reverse_transfer(self, transfer_id: str, amount: int | None = None) -> Json:
        with self.books.effect():
            return self.reverse(transfer_id, {} if amount is None else {"amount": amount})

    def pay_out(self, currency: str) -> Json:
        """All that is held in a currency goes to the merchant's bank."""
        code = currency.lower()
        with self.books.effect():
            held = self.provider.held().get(code, 0)
            if held <= 0:
                raise Refusal("There is nothing to pay out.", code="balance_insufficient")
            made: dict[str, Any] = objects.payout(
                amount=held, code=code, at=self.provider.now(), live=self.provider.live
            )
            self.books.add(made)
            self.provider.book("payout", "payout", -held, made)
            self.provider.tell("payout.paid", made)
            return made
