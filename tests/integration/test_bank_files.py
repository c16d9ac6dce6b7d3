"""What the bank is told and what it tells: ISO 20022 by its own schema, CSV without formulas, results line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID
from xml.etree import ElementTree

import pytest

from application.csv import csv_line
from application.payouts.bank_files import (
    BankFile,
    BankFileEmpty,
    BankFileNotReady,
    DebtorMissing,
    csv_rows,
    pain_001,
    read_bank_file,
)
from application.payouts.bank_messages import read_csv, read_pain_002
from application.payouts.bank_results import BankWord, ImportResults, LineOutcome, import_results
from domain.ledger import accounts
from domain.payouts.batches import Debtor
from domain.shared.errors import InvalidValue
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.integration.payroll import DEBTOR, Payee, Payroll, broken_payroll_promises
from tests.integration.shop import all_at_once
from tests.iso20022.validation import Schema

NOBODY = Debtor("", "", "")
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_payroll_promises(addresses) == []


def file_of(payroll: Payroll, batch_id: UUID, shape: str = "pain.001", debtor: Debtor = DEBTOR) -> BankFile:
    use = payroll.use
    return read_bank_file(batch_id, shape=shape, actor=payroll.clerk, debtor=debtor, uow=use.new_uow(), clock=use.clock)


def a_bank_batch(payroll: Payroll) -> UUID:
    """Three payees in two currencies, one with a name in Arabic, one without an IBAN."""
    payroll.a_payee(8_000, method="BANK_TRANSFER", holder="شركة النيل للسياحة")
    payroll.a_payee(6_050, method="BANK_TRANSFER", holder="=cmd|'/C calc'!A0", account_number="100012345678")
    payroll.a_payee(123_456, method="BANK_TRANSFER", currency="EGP", holder="Mona & Søns")
    payroll.a_payee(7_000)
    return payroll.approved()


# pain.001


def test_pain_001_is_valid_by_the_schema_of_iso_20022(payroll: Payroll) -> None:
    document = pain_001(file_of(payroll, a_bank_batch(payroll)))
    assert Schema().faults(document) == []


def test_pain_001_adds_up_and_names_every_payout_once(payroll: Payroll) -> None:
    batch_id = a_bank_batch(payroll)
    root = ElementTree.fromstring(pain_001(file_of(payroll, batch_id)))  # noqa: S314 - our own
    assert root.findtext(".//p:GrpHdr/p:MsgId", namespaces=NS) == payroll.batch(batch_id)["batch_number"]
    assert root.findtext(".//p:GrpHdr/p:NbOfTxs", namespaces=NS) == "3"
    assert Decimal(root.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=NS) or "") == Decimal("1375.06")
    told = {}
    for part in root.iterfind(".//p:PmtInf", NS):
        amounts = part.findall("p:CdtTrfTxInf/p:Amt/p:InstdAmt", NS)
        assert sum(Decimal(one.text or "") for one in amounts) == Decimal(part.findtext("p:CtrlSum", "", NS))
        assert {one.get("Ccy") for one in amounts} == {(part.findtext("p:PmtInfId", "", NS)).rpartition("-")[2]}
        keys = [one.text for one in part.iterfind("p:CdtTrfTxInf/p:PmtId/p:EndToEndId", NS)]
        told.update({key: one.text for key, one in zip(keys, amounts, strict=True)})
    ours = {f"po-{row['id'].hex}": row for row in payroll.payouts(batch_id) if row["method"] == "BANK_TRANSFER"}
    assert told.keys() == ours.keys()
    names = {one.text for one in root.iterfind(".//p:Cdtr/p:Nm", NS)}
    assert names == {"Shrka Alnyl Llsyaha", "cmd '/C calc' A0", "Mona + Sons"}
    assert all(len(key or "") <= 35 for key in told)


def test_a_bank_file_is_the_same_however_often_it_is_read_and_whatever_came_since(payroll: Payroll) -> None:
    batch_id = a_bank_batch(payroll)
    first = pain_001(file_of(payroll, batch_id)), list(csv_rows(file_of(payroll, batch_id, "csv")))
    number = payroll.payouts(batch_id)[0]["payout_number"]
    bring(payroll, batch_id, f"payout,status\n{number},FAILED\n")
    payroll.send()
    other = Debtor("Somebody Else", "EG800002000156789012345180002", "")
    again = (
        pain_001(file_of(payroll, batch_id, debtor=other)),
        list(csv_rows(file_of(payroll, batch_id, "csv", debtor=other))),
    )
    assert again == first
    audited = payroll.database.rows("SELECT 1 FROM audit_logs WHERE changes ? 'bank_file'")
    assert len(audited) == 4


def test_without_a_bank_code_the_agent_is_not_provided_and_still_valid(payroll: Payroll) -> None:
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    file = file_of(payroll, payroll.approved())
    bare = BankFile(file.batch, Debtor("شركة", DEBTOR.iban, ""), file.transfers)
    assert Schema().faults(pain_001(bare)) == []
    assert b"NOTPROVIDED" in pain_001(bare)


def test_the_schema_finds_what_is_wrong(payroll: Payroll) -> None:
    """The validator is no rubber stamp."""
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    right = pain_001(file_of(payroll, payroll.approved()))
    for before, after in (
        (b"<PmtMtd>TRF</PmtMtd>", b"<PmtMtd>CASH</PmtMtd>"),
        (b"<NbOfTxs>1</NbOfTxs>", b""),
        (b"<MsgId>", b"<MsgId>" + b"x" * 36),
        (b'Ccy="USD"', b'Ccy="usd"'),
        (b' Ccy="USD"', b""),
        (b">80.00</InstdAmt>", b">-80.00</InstdAmt>"),
        (b">80.00</InstdAmt>", b">80.000001</InstdAmt>"),
        (b"<Cdtr>", b"<Unknown/><Cdtr>"),
        (b"EG380019000500000000263180002", b"EG-38"),
    ):
        assert before in right
        broken = right.replace(before, after, 1)
        assert Schema().faults(broken) != [], after


def test_a_file_is_there_once_the_batch_is_processed_and_has_transfers(payroll: Payroll) -> None:
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    batch_id = payroll.make().batch_id
    for step in (payroll.approve, payroll.process):
        with pytest.raises(BankFileNotReady):
            file_of(payroll, batch_id)
        step(batch_id)
    assert len(file_of(payroll, batch_id).transfers) == 1
    payroll.a_payee(8_000)
    with pytest.raises(BankFileEmpty):
        file_of(payroll, payroll.approved())


def test_pain_001_needs_to_know_who_pays_and_csv_does_not(payroll: Payroll) -> None:
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    batch_id = payroll.approved()
    assert file_of(payroll, batch_id, debtor=NOBODY).debtor == DEBTOR
    payroll.a_payee(9_000, method="BANK_TRANSFER")
    unnamed = payroll.make().batch_id
    payroll.approve(unnamed, debtor=NOBODY)
    payroll.process(unnamed)
    with pytest.raises(DebtorMissing):
        file_of(payroll, unnamed, debtor=NOBODY)
    assert len(file_of(payroll, unnamed, "csv", debtor=NOBODY).transfers) == 1
    assert Schema().faults(pain_001(file_of(payroll, unnamed, debtor=DEBTOR))) == []


def test_no_cell_of_the_csv_is_a_formula(payroll: Payroll) -> None:
    file = file_of(payroll, a_bank_batch(payroll), "csv")
    text = "".join(csv_line(row) for row in csv_rows(file))
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[7] for row in rows[1:]] == ["1234.56", "80.00", "60.50"]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


# Results


def bring(payroll: Payroll, batch_id: UUID, text: str) -> list[tuple[str, str | None]]:
    """The clerk brings a CSV file of the bank's; each line's outcome, and where its payout stands."""
    use = payroll.use
    answers = import_results(
        ImportResults(batch_id, payroll.clerk, read_csv(text)),
        new_uow=use.new_uow,
        clock=use.clock,
        new_id=use.new_id,
    )
    return [(one.outcome.value, one.status) for one in answers]


def two_payouts(payroll: Payroll) -> tuple[UUID, Payee, Payee, str, str]:
    first, second = (payroll.a_payee(minor, method="BANK_TRANSFER") for minor in (8_000, 6_000))
    batch_id = payroll.approved()
    numbers = [payroll.payout_of(payee)["payout_number"] for payee in (first, second)]
    return batch_id, first, second, numbers[0], numbers[1]


def test_results_are_applied_once_and_the_batch_ends(payroll: Payroll) -> None:
    batch_id, first, second, paid, failed = two_payouts(payroll)
    text = f"payout,status,bank_reference,reason\n{paid},PAID,BR-1,\n{failed},FAILED,,Account closed\n"
    assert bring(payroll, batch_id, text) == [("APPLIED", "PAID"), ("APPLIED", "FAILED")]
    assert bring(payroll, batch_id, text) == [("ALREADY", "PAID"), ("ALREADY", "FAILED")]
    row = payroll.payout_of(first)
    assert (row["bank_reference"], row["decided_by_user_id"]) == ("BR-1", payroll.clerk)
    assert (payroll.payout_of(second)["reason"], payroll.owed(second)) == ("Account closed", 6_000)
    assert payroll.batch(batch_id)["status"] == "COMPLETED"
    assert payroll.summed(accounts.clearing("BANK", "USD")) == 8_000


def test_the_same_results_at_once_are_applied_once(payroll: Payroll) -> None:
    batch_id, _, second, paid, failed = two_payouts(payroll)
    text = f"payout,status\n{paid},PAID\n{failed},FAILED\n"
    answers = all_at_once([lambda: bring(payroll, batch_id, text)] * 3)
    assert not [one for one in answers if isinstance(one, BaseException)]
    assert sum(one == ("APPLIED", "PAID") for answer in answers for one in answer) == 1  # type: ignore[union-attr]
    assert payroll.owed(second) == 6_000


def test_lines_that_contradict_or_name_nothing_are_answered_one_by_one(payroll: Payroll) -> None:
    batch_id, first, _, paid, failed = two_payouts(payroll)
    key = f"po-{payroll.payout_of(first)['id'].hex}"
    other = payroll.a_payee(9_000, method="BANK_TRANSFER")
    elsewhere = payroll.make().batch_id
    payroll.approve(elsewhere)
    text = (
        "payout,status,bank_reference,amount,currency\n"
        f"{paid},PENDING,,,\n"
        f"{key},PAID,BR-1,80.00,USD\n"
        f"{paid},FAILED,,,\n"
        f"{paid},PAID,BR-2,,\n"
        f"{failed},PAID,BR-3,59.99,USD\n"
        f"{failed},PAID,BR-3,60.00,EGP\n"
        "PO-1999-000001,PAID,BR-4,,\n"
        f"{payroll.payout_of(other)['payout_number']},PAID,BR-5,,\n"
    )
    assert [outcome for outcome, _ in bring(payroll, batch_id, text)] == [
        "WAITING",
        "APPLIED",
        "APPLIED",
        "CONTRADICTS",
        "AMOUNT_DIFFERS",
        "AMOUNT_DIFFERS",
        "UNKNOWN_PAYOUT",
        "UNKNOWN_PAYOUT",
    ]
    number = payroll.payout_of(other)["payout_number"]
    assert bring(payroll, elsewhere, f"payout,status\n{number},PAID\n") == [("NOT_SENT", "PENDING")]


def test_what_the_bank_sends_back_after_it_was_paid_is_owed_again_once(payroll: Payroll) -> None:
    batch_id, first, _, paid, _ = two_payouts(payroll)
    told = f"payout,status,bank_reference\n{paid},PAID,BR-1\n"
    sent_back = f"payout,status,reason\n{paid},FAILED,account closed\n"
    assert bring(payroll, batch_id, told) == [("APPLIED", "PAID")]

    answers = all_at_once([lambda: bring(payroll, batch_id, sent_back)] * 3)

    assert sorted(answer[0][0] for answer in answers) == ["ALREADY", "ALREADY", "APPLIED"]  # type: ignore[index]
    assert bring(payroll, batch_id, told) == [("ALREADY", "RETURNED")]
    assert (payroll.owed(first), payroll.summed(accounts.clearing("BANK", "USD"))) == (8_000, 0)
    assert payroll.payout_of(first)["reason"] == "account closed"


def test_nobody_brings_results_of_their_own_payout(payroll: Payroll) -> None:
    batch_id, first, _, paid, _ = two_payouts(payroll)
    use = payroll.use
    (answered,) = import_results(
        ImportResults(batch_id, first.user_id, read_csv(f"payout,status\n{paid},PAID\n")),
        new_uow=use.new_uow,
        clock=use.clock,
        new_id=use.new_id,
    )
    assert (answered.outcome, answered.status) == (LineOutcome.OWN_MONEY, "SENT")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "payout,status\nPO-1,MAYBE\n",
        'payout,status\n"PO-1,PAID\n',
        "payout,status,amount,currency\nPO-1,PAID,1e3,USD\n",
    ],
)
def test_what_is_no_file_of_results_is_refused_naming_the_line(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_csv(text)
    assert refused.value.faults[0].pointer == "/results"


# pain.002


def pain_002(batch_number: str, *transactions: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-11-30T10:00:00Z</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{batch_number}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>X</OrgnlPmtInfId>{''.join(transactions)}"
        "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def transaction(key: str, status: str, inner: str = "", reference: str = "") -> str:
    told = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{key}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"{inner}{told}</TxInfAndSts>"
    )  # fmt: skip


def test_pain_002_is_read_and_applied(payroll: Payroll) -> None:
    batch_id, first, second, _, _ = two_payouts(payroll)
    keys = [f"po-{payroll.payout_of(payee)['id'].hex}" for payee in (first, second)]
    amount = '<OrgnlTxRef><Amt><InstdAmt Ccy="USD">80.00000</InstdAmt></Amt></OrgnlTxRef>'
    why = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Closed account</AddtlInf></StsRsnInf>"
    number = payroll.batch(batch_id)["batch_number"]
    content = pain_002(
        number, transaction(keys[0], "ACSC", reference="BR-9") .replace("</TxInfAndSts>", f"{amount}</TxInfAndSts>"),
        transaction(keys[1], "RJCT", why),
    )  # fmt: skip
    lines = read_pain_002(content, batch_number=number)
    use = payroll.use
    command = ImportResults(batch_id, payroll.clerk, lines)
    answers = import_results(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    assert [one.outcome for one in answers] == [LineOutcome.APPLIED] * 2
    assert (payroll.payout_of(first)["bank_reference"], payroll.payout_of(second)["reason"]) == (
        "BR-9",
        "AC04 Closed account",
    )
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("status", "word"), [("ACCC", "PAID"), ("ACSP", "PENDING"), ("PDNG", "PENDING"), ("RJCT", "FAILED")]
)
def test_what_a_bank_calls_it(status: str, word: str) -> None:
    (line,) = read_pain_002(pain_002("PB-1", transaction("K", status)), batch_number="PB-1")
    assert line.word is BankWord(word)


BOMB = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><Document>&f;</Document>'
DEEP = b"<a>" * 100_000


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, DEEP, b"", b"<a>", b"{}", b"<a/>", b"\xff\xfe<a/>"])
def test_xml_that_is_more_than_words_or_less_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_pain_002(content, batch_number="PB-1")
    assert refused.value.faults[0].pointer == "/results"


def test_a_report_about_another_batch_is_refused() -> None:
    with pytest.raises(InvalidValue) as refused:
        read_pain_002(pain_002("PB-2", transaction("K", "ACSC")), batch_number="PB-1")
    assert refused.value.faults[0].code == "other_batch"
