"""The fake's refunds: asked for by API v3 or on the dashboard, decided later by people (contract §4)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from fake_providers.fawaterk.books import Books
from fake_providers.fawaterk.values import Json, Refusal, now_in_cairo, paid_sum

GENERATION_OF_TYPE = {"0": "v2", "3": "v3"}
"""`refund_type` → what it refunds; payment links (1) and collection links (2) are not opened here."""
LISTED_TYPE = {"v2": "Invoice", "v3": "Transaction"}
PER_PAGE = 10


class RefundDesk:
    """Requests for refunds, never for more than was paid and is not given back yet."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def create(self, order: Json) -> Json:
        """As refund/create. Raises Refusal."""
        generation = GENERATION_OF_TYPE.get(str(order.get("refund_type")))
        if generation is None:
            raise Refusal(422, {"refund_type": ["The selected refund type is invalid."]})
        number = str(order.get("refund_id"))
        if not (number.isascii() and number.isdigit()):
            raise Refusal(422, {"refund_id": ["The refund id must be a number."]})
        if not str(order.get("reason") or "").strip():
            raise Refusal(422, {"reason": ["The reason field is required."]})
        try:
            record = self._books.numbered(int(number), generation)
        except KeyError:
            raise Refusal(422, {"refund_id": ["The selected refund id is invalid."]}) from None
        return self.asked(record, str(order.get("refundable_amount")), str(order["reason"]))

    def asked(self, record: Json, amount: str, reason: str) -> Json:
        try:
            wanted = Decimal(amount)
        except InvalidOperation:
            raise Refusal(422, {"refundable_amount": ["The refundable amount must be a number."]}) from None
        with self._books.guard:
            if not 0 < wanted <= self._left(record):
                raise Refusal(422, {"refundable_amount": ["The refundable amount is more than what can be refunded."]})
            return self._books.add_refund(
                {
                    "refundable_type": LISTED_TYPE[record["generation"]],
                    "refundable_id": int(record["invoice_id"]),
                    "reference": record["reference"],
                    "amount": amount,
                    "status": "pending",
                    "reason": reason,
                    "created_at": now_in_cairo(),
                }
            )

    def decided(self, number: int, status: str) -> Json:
        """Raises KeyError for an unknown one, Refusal for one that is decided."""
        with self._books.guard:
            if self.found(number)["status"] != "pending":
                raise Refusal(422, "The refund is not pending.")
            return self._books.change_refund(number, status=status, decided_at=now_in_cairo())

    def delete(self, number: int) -> None:
        """As refund/delete: only what is pending. Raises KeyError or Refusal."""
        with self._books.guard:
            if self.found(number)["status"] != "pending":
                raise Refusal(422, "The refund cannot be deleted.")
            self._books.delete_refund(number)

    def found(self, number: int) -> Json:
        return self._books.change_refund(number)

    def page(self, number: int) -> Json:
        """As refund/index: Laravel's paginator, the newest first, without a status on top."""
        refunds = self._books.refunds()
        first = (number - 1) * PER_PAGE
        return {
            "current_page": number,
            "data": [listed(refund) for refund in refunds[first : first + PER_PAGE]],
            "last_page": max(1, -(-len(refunds) // PER_PAGE)),
            "per_page": PER_PAGE,
            "total": len(refunds),
        }

    def _left(self, record: Json) -> Decimal:
        asked = [
            Decimal(it["amount"])
            for it in self._books.refunds()
            if it["reference"] == record["reference"] and it["status"] != "refused"
        ]
        return paid_sum(record) - sum(asked, Decimal(0))


def listed(refund: Json) -> Json:
    names = ("id", "refundable_type", "refundable_id", "status", "reason", "created_at")
    told = {name: refund[name] for name in names}
    return {**told, "refundable_amount": str(refund["amount"]), "can_delete": refund["status"] == "pending"}
