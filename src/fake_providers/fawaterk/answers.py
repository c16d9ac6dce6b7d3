"""What the fake's read calls answer: numbers on one call, numeric strings on the next (contract §2)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from fake_providers.fawaterk.values import CAIRO, Json, exact, spoken, total_in_egp


def invoice_data(record: Json, *, as_text: bool, huge_ids: bool, newer_shape: bool) -> Json:
    """As getInvoiceData of v2; some accounts answer the newer names (contract §3.4)."""
    number = record["invoice_id"] if as_text or huge_ids else int(record["invoice_id"])
    total, pay_load = total_in_egp(record), record["pay_load"]
    identity = (
        {"transaction_id": number, "intent_key": record["invoice_key"], "transaction_created_at": record["created_at"]}
        if newer_shape
        else {"invoice_id": number, "invoice_key": record["invoice_key"], "invoice_created_at": record["created_at"]}
    )
    return {
        **identity,
        "paid": str(record["paid"]) if as_text else record["paid"],
        "paid_at": record["paid_at"],
        "total": str(total) if as_text else exact(total),
        "currency": "EGP",
        "due_date": record["due_date"],
        "status_text": record["status_text"],
        "payment_method": record["payment_method"],
        "pay_load": json.dumps(pay_load) if as_text and pay_load is not None else pay_load,
        "invoice_transactions": [_invoice_row(it, as_text=as_text) for it in record["transactions"]],
    }


def _invoice_row(row: Json, *, as_text: bool) -> Json:
    """In either of the two spellings that were seen."""
    if as_text:
        return {
            "status": row["status"],
            "paidWithIt": str(row["paying"]),
            "amount": row["amount"],
            "currency": row["currency"],
        }
    return {
        "status": row["status"],
        "paidWithIt": row["paying"],
        "transactionAmount": exact(row["amount"]),
        "transactionCurrency": row["currency"],
    }


def transaction_data(record: Json, *, as_text: bool) -> Json:
    """As getTransactionData of v3: the id is 0 until somebody tries to pay, the total in EGP (contract §4)."""
    pay_load = record["pay_load"]
    return {
        **transaction_summary(record, as_text=as_text),
        "status_text": record["status_text"],
        "pay_load": json.dumps(pay_load) if as_text and pay_load is not None else pay_load,
        "transaction_history": [_history_row(record, row, as_text=as_text) for row in record["transactions"]],
    }


def transaction_summary(record: Json, *, as_text: bool) -> Json:
    """A row of getTransactionsData."""
    number, total = transaction_id(record), total_in_egp(record)
    return {
        "intent_key": record["invoice_key"],
        "transaction_id": str(number) if as_text else number,
        "paid": str(record["paid"]) if as_text else record["paid"],
        "total": str(total) if as_text else exact(total),
        "currency": record["currency"],
        "payment_method": record["payment_method"],
        "created_at": spoken(record["created_at"]) if as_text else record["created_at"],
        "paid_at": spoken(record["paid_at"]) if as_text else record["paid_at"],
    }


def transaction_id(record: Json) -> int:
    return int(record["invoice_id"]) if record["is_real"] else 0


def _history_row(record: Json, row: Json, *, as_text: bool) -> Json:
    return {
        "method": record["payment_method"],
        "amount": row["amount"] if as_text else exact(row["amount"]),
        "currency": row["currency"],
        "status": row["status"],
        "reference": row["reference"],
        "date": spoken(row["date"]) if as_text else row["date"],
    }


def payment_data(record: Json, page: str) -> Json:
    """What the customer pays with, by method; codes in either of their spellings (contract §3.3)."""
    is_odd, code = int(record["invoice_id"]) % 2 == 1, record["code"]
    if record["payment_method"] == "Fawry":
        expires = datetime.now(CAIRO) + timedelta(days=2)
        return {"fawryCode": code, "expireDate": f"{expires:%Y-%m-%d %H:%M:%S}"}
    if record["payment_method"] == "Meeza":
        return {"meezaReference": int(code), "meezaQrCode": f"00020101021226{code}"}
    if record["payment_method"] == "Aman":
        return {"amanCode" if is_odd else "aman_code": code}
    if record["payment_method"] == "Masary":
        return {"masaryCode" if is_odd else "masary_code": int(code)}
    return {"redirectTo": page}


def flat_fawry(record: Json) -> Json:
    """The answer without `data` that staging was seen to give for Fawry (contract §4)."""
    expires = datetime.now(CAIRO) + timedelta(days=2)
    return {
        "status": "pending",
        "referenceNumber": record["code"],
        "fawryCode": record["code"],
        "expirationTime": f"{expires:%d %b %Y, %I:%M %p}",
        "expireDate": f"{expires:%Y-%m-%d %H:%M:%S}",
        "reference": f"TR-{record['invoice_id'][-4:]}",
        "intent_key": record["invoice_key"],
    }
