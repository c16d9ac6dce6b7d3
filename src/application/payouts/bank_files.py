"""What the bank is told to pay: CSV for people and portals, and ISO 20022 pain.001.001.09.

Made of what was frozen with the batch, in the order of payout numbers: the same bytes however often it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final
from uuid import UUID
from xml.etree import ElementTree

from application.payouts.batches import BATCH
from application.payouts.ports import ToBank
from application.ports import UnitOfWork
from domain.payouts.bank_words import for_banks
from domain.payouts.batches import Batch, BatchStatus, Debtor
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_NAME, _REMITTANCE = 70, 140
_UNNAMED: Final = "NOTPROVIDED"
COLUMNS: Final = ("payout_number", "key", "holder_name", "account_number", "bank_name", "bank_branch", "swift_code",
                  "amount", "currency")  # fmt: skip


class BankFileNotReady(Conflict):
    """The batch is not being processed yet: payouts could still leave the file."""

    code = "bank_file_not_ready"


class BankFileEmpty(Conflict):
    """Nothing of the batch goes through a bank."""

    code = "bank_file_empty"


class DestinationErased(Conflict):
    """A payee was erased since, with the account that the money went to."""

    code = "bank_destination_erased"


class DebtorMissing(Conflict):
    """Nobody has said from which account payouts are paid."""

    code = "payout_debtor_missing"


@dataclass(frozen=True, slots=True)
class BankFile:
    """One batch's bank transfers, with who pays them."""

    batch: Batch
    debtor: Debtor
    transfers: Sequence[ToBank]


def read_bank_file(
    batch_id: UUID, *, shape: str, actor: UUID, debtor: Debtor, uow: UnitOfWork, clock: Clock
) -> BankFile:
    """The batch's transfers, and a line in the audit log that they were read; `debtor` is what the settings say now.

    Raises BatchNotFound, BankFileNotReady, BankFileEmpty, DestinationErased or DebtorMissing.
    """
    with uow:
        batch = uow.payout_batches.get(batch_id)
        if batch.status not in (BatchStatus.PROCESSING, BatchStatus.COMPLETED):
            raise BankFileNotReady()
        named = batch.debtor if batch.debtor is not None and batch.debtor.is_named else debtor
        file = BankFile(batch, named, uow.payout_batches.bank_transfers(batch_id))
        _refuse(file, shape)
        uow.audit.add(
            actor=actor,
            action="payouts.process",
            resource_type=BATCH,
            resource_id=batch_id,
            changes={"bank_file": shape, "transfers": len(file.transfers)},
            at=clock.now(),
        )
        uow.commit()
    return file


def _refuse(file: BankFile, shape: str) -> None:
    if not file.transfers:
        raise BankFileEmpty()
    if any(not transfer.destination for transfer in file.transfers):
        raise DestinationErased()
    if shape == "pain.001" and not file.debtor.is_named:
        raise DebtorMissing()


def csv_rows(file: BankFile) -> Iterator[Sequence[str]]:
    """The heading, then one row for each transfer."""
    yield COLUMNS
    for transfer in file.transfers:
        to = transfer.destination
        yield (
            transfer.payout_number,
            transfer.key,
            *(to.get(name, "") for name in COLUMNS[2:7]),
            transfer.amount.decimal(),
            transfer.amount.currency.code,
        )


def pain_001(file: BankFile) -> bytes:
    """CustomerCreditTransferInitiationV09: one PmtInf for each currency, with control sums."""
    document = ElementTree.Element("Document", xmlns=NAMESPACE)
    initiation = _add(document, "CstmrCdtTrfInitn")
    _header(initiation, file)
    for currency, transfers in groupby(file.transfers, key=lambda transfer: transfer.amount.currency.code):
        _payment_information(initiation, file, currency, list(transfers))
    written: bytes = ElementTree.tostring(document, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _header(initiation: ElementTree.Element, file: BankFile) -> None:
    header = _add(initiation, "GrpHdr")
    _add(header, "MsgId", file.batch.batch_number)
    _add(header, "CreDtTm", _begun(file).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(header, "NbOfTxs", str(len(file.transfers)))
    # Over several currencies it is a sum to check by, and no amount (ISO 20022, GroupHeader85).
    _add(header, "CtrlSum", _sum(file.transfers))
    _add(_add(header, "InitgPty"), "Nm", for_banks(file.debtor.name, _NAME) or _UNNAMED)


def _begun(file: BankFile) -> datetime:
    """When the batch began to be processed: from then on its file is complete."""
    if file.batch.processing_at is None:
        raise BankFileNotReady()
    return file.batch.processing_at.astimezone(UTC)


def _payment_information(
    initiation: ElementTree.Element, file: BankFile, currency: str, transfers: Sequence[ToBank]
) -> None:
    payment = _add(initiation, "PmtInf")
    _add(payment, "PmtInfId", f"{file.batch.batch_number}-{currency}")
    _add(payment, "PmtMtd", "TRF")
    _add(payment, "NbOfTxs", str(len(transfers)))
    _add(payment, "CtrlSum", _sum(transfers))
    _add(_add(payment, "ReqdExctnDt"), "Dt", business_date(_begun(file)).isoformat())
    _add(_add(payment, "Dbtr"), "Nm", for_banks(file.debtor.name, _NAME) or _UNNAMED)
    _add(_add(_add(payment, "DbtrAcct"), "Id"), "IBAN", file.debtor.iban)
    _agent(payment, "DbtrAgt", file.debtor.bic)
    for transfer in transfers:
        _transfer(payment, transfer)


def _transfer(payment: ElementTree.Element, transfer: ToBank) -> None:
    to = transfer.destination
    told = _add(payment, "CdtTrfTxInf")
    named = _add(told, "PmtId")
    _add(named, "InstrId", transfer.payout_number)
    _add(named, "EndToEndId", transfer.key)
    amount = _add(_add(told, "Amt"), "InstdAmt", transfer.amount.decimal())
    amount.set("Ccy", transfer.amount.currency.code)
    _creditor_agent(told, to.get("swift_code", ""), to.get("bank_name", ""))
    _add(_add(told, "Cdtr"), "Nm", for_banks(to.get("holder_name", ""), _NAME) or _UNNAMED)
    _account(told, to.get("account_number", ""))
    _add(_add(told, "RmtInf"), "Ustrd", for_banks(f"AltayarVIP payout {transfer.payout_number}", _REMITTANCE))


def _account(told: ElementTree.Element, number: str) -> None:
    identified = _add(_add(told, "CdtrAcct"), "Id")
    if number[:2].isalpha():
        _add(identified, "IBAN", number)
    else:
        _add(_add(identified, "Othr"), "Id", number)


def _agent(parent: ElementTree.Element, tag: str, bic: str) -> None:
    institution = _add(_add(parent, tag), "FinInstnId")
    if bic:
        _add(institution, "BICFI", bic)
    else:
        # As the EPC's guidelines write it where the IBAN says enough.
        _add(_add(institution, "Othr"), "Id", _UNNAMED)


def _creditor_agent(told: ElementTree.Element, bic: str, bank_name: str) -> None:
    name = for_banks(bank_name, _REMITTANCE)
    if not bic and not name:
        return
    institution = _add(_add(told, "CdtrAgt"), "FinInstnId")
    if bic:
        _add(institution, "BICFI", bic)
    if name:
        _add(institution, "Nm", name)


def _sum(transfers: Sequence[ToBank]) -> str:
    """The amounts added up as plain numbers, with as many decimals as the longest of them has."""
    exponent = max(transfer.amount.currency.exponent for transfer in transfers)
    scaled = sum(transfer.amount.minor * 10 ** (exponent - transfer.amount.currency.exponent) for transfer in transfers)
    whole, part = divmod(scaled, 10**exponent)
    return f"{whole}.{part:0{exponent}d}" if exponent else str(whole)


def _add(parent: ElementTree.Element, tag: str, text: str | None = None) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, tag)
    made.text = text
    return made
