"""Statements of payouts: mailed to whoever was paid, read by them and by staff, and by nobody else."""

from __future__ import annotations

import csv
import dataclasses
import io
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from application.messaging.ports import MailUnavailable
from application.messaging.sending import send_delivery
from application.payouts.deciding import DecidePayout, confirm_payout
from application.payouts.statements import MOST_MAILED, drop_past_payout_statements, files_of
from domain.ledger.statements import MOST_PRINTED
from domain.messaging.deliveries import DeliveryPlanned, DeliveryWithFilesPlanned
from infrastructure.bootstrap import Running
from infrastructure.database.roles import connect
from tests.api.mailbox import mails_to
from tests.api.shop import Shop, SignUp, problem
from tests.api.test_books import erase
from tests.conftest import MovableClock, Person
from tests.contract.test_documents import text_of
from tests.integration.payroll import Payee, Payroll

pytestmark = pytest.mark.database


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture
def partner(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def payee(payroll: Payroll, partner: Person) -> Payee:
    """Who has earned 80.00 and 30.00, lost 10.00 of it, and is to have 7.00 another day."""
    payee = payroll.a_payee([8_000, 3_000, -1_000], user_id=partner.user_id)
    payroll.earn(payee, 700, released_in=timedelta(days=9))
    return payee


def paid(payroll: Payroll, payee: Payee) -> UUID:
    payroll.approved()
    payroll.send()
    payout_id: UUID = payroll.payout_of(payee)["id"]
    return payout_id


def lines_of(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def path_of(payout_id: UUID, asked: str = "") -> str:
    return f"/api/v1/payouts/{payout_id}/statement?{asked}"


def admin_path_of(payout_id: UUID, asked: str = "") -> str:
    return f"/api/v1/admin/payouts/{payout_id}/statement?{asked}"


def kept(running: Running) -> list[Path]:
    folder = Path(running.settings.storage_url.removeprefix("file://")) / "payout-statements"
    return list(folder.glob("[!.]*"))


@pytest.mark.parametrize(("locale", "name"), [("ar", "كشف المستحقات {}"), ("en", "Payout statement {}")])
def test_whoever_is_paid_finds_the_statement_in_their_mail(
    shop: Shop, payroll: Payroll, payee: Payee, partner: Person, locale: str, name: str
) -> None:
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE users SET locale = %s WHERE id = %s", [locale, payee.user_id])
    payout_id = paid(payroll, payee)

    shop.deliver_events(draw=True)
    shop.deliver_events(draw=True)

    number = payroll.payout_of(payee)["payout_number"]
    [mail] = [mail for mail in mails_to(partner.email, shop.running.settings.home) if mail.files]
    assert number in mail.text
    assert list(mail.files) == [f"{name.format(number)}.pdf", f"{name.format(number)}.csv"]
    pdf, table = mail.files.values()
    assert pdf[:5] == b"%PDF-"
    text = text_of(pdf)
    assert [shown for shown in (number, "100.00", "10.00", "7.00") if shown not in text] == []
    assert ("Carried to a later payout" in text) is (locale == "en")
    assert table == shop.get(path_of(payout_id, "format=csv"), partner).data


def test_mails_with_files_do_not_hold_up_what_is_quick(
    shop: Shop, payroll: Payroll, payee: Payee, partner: Person
) -> None:
    paid(payroll, payee)
    shop.deliver_events()
    assert [mail for mail in mails_to(partner.email, shop.running.settings.home) if mail.files] == []
    planned = shop.database.rows(
        "SELECT name FROM outbox_events WHERE name = ANY(%s)", ([DeliveryPlanned.name, DeliveryWithFilesPlanned.name],)
    )
    assert [row["name"] for row in planned].count(DeliveryWithFilesPlanned.name) == 1


def test_a_mail_that_failed_is_sent_again_with_its_files_and_then_never_more(
    shop: Shop, payroll: Payroll, payee: Payee, partner: Person
) -> None:
    class Down:
        def send(self, message: object) -> None:
            raise MailUnavailable()

    paid(payroll, payee)
    shop.deliver_events()
    use = shop.running.dependencies
    down = dataclasses.replace(use, email=Down())
    [row] = shop.database.rows("SELECT payload FROM outbox_events WHERE name = %s", (DeliveryWithFilesPlanned.name,))
    delivery_id = UUID(row["payload"]["delivery_id"])
    with pytest.raises(MailUnavailable):
        send_delivery(delivery_id, down)
    for _ in range(2):
        send_delivery(delivery_id, use)

    [mail] = [mail for mail in mails_to(partner.email, shop.running.settings.home) if mail.files]
    assert len(mail.files) == 2


def test_the_csv_adds_up_and_says_what_was_clawed_back_and_what_is_carried(
    shop: Shop, payroll: Payroll, payee: Payee, partner: Person, sign_up: SignUp
) -> None:
    payout_id = paid(payroll, payee)
    answer = shop.get(path_of(payout_id, "format=csv"), partner)
    assert answer.content_type == "text/csv; charset=utf-8"
    lines = lines_of(answer)

    entries = [line for line in lines if line["kind"] in ("EARNED", "REVERSED")]
    assert [(line["kind"], line["added"], line["taken_off"]) for line in entries] == [
        ("EARNED", "80.00", "0.00"), ("EARNED", "30.00", "0.00"), ("REVERSED", "0.00", "10.00"),
    ]  # fmt: skip
    below = {line["reason_en"].split(" to ")[0]: (line["added"], line["taken_off"]) for line in lines[3:]}
    assert below == {
        "Sum earned by trips": ("110.00", "0.00"),
        "Sum clawed back after refunds": ("0.00", "10.00"),
        payroll.payout_of(payee)["payout_number"]: ("100.00", "0.00"),
        "Carried": ("7.00", "0.00"),
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert shop.get(admin_path_of(payout_id, "format=csv"), sign_up("FINANCE")).data == answer.data


def test_of_a_bank_account_no_more_than_its_end_is_shown(shop: Shop, payroll: Payroll, partner: Person) -> None:
    payee = payroll.a_payee(8_000, method="BANK_TRANSFER", user_id=partner.user_id)
    payroll.approved()
    text = shop.get(path_of(payroll.payout_of(payee)["id"], "format=csv"), partner).data.decode()

    assert "•••• 0002" in text
    assert "EG38" not in text


def test_a_pdf_is_drawn_once_by_a_worker(
    shop: Shop, running: Running, payroll: Payroll, payee: Payee, partner: Person, sign_up: SignUp
) -> None:
    payout_id = paid(payroll, payee)
    for _ in range(2):
        waiting = shop.get(path_of(payout_id, "lang=ar"), partner)
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "2")
    shop.deliver_events(draw=True)
    drawn = shop.get(path_of(payout_id, "lang=ar"), partner)
    assert (drawn.status_code, drawn.data[:5]) == (200, b"%PDF-")
    assert shop.get(admin_path_of(payout_id, "lang=ar"), sign_up("FINANCE")).data == drawn.data
    assert len(kept(running)) == 1
    assert shop.get(path_of(payout_id, "lang=en"), partner).status_code == 202


def test_nobody_elses_and_nothing_before_the_approval(
    shop: Shop, payroll: Payroll, payee: Payee, partner: Person, sign_up: SignUp
) -> None:
    payroll.make()
    payout_id = payroll.payout_of(payee)["id"]
    problem(shop.get(path_of(payout_id), partner), 422, "payout_not_approved")
    problem(shop.get(path_of(payout_id), sign_up()), 404, "payout_not_found")
    payroll.approve(payroll.payout_of(payee)["batch_id"])
    for form in ("format=csv", "format=pdf"):
        problem(shop.get(path_of(payout_id, form), sign_up()), 404, "payout_not_found")
        problem(shop.get(admin_path_of(payout_id, form), partner), 403, "wrong_surface")
    problem(shop.get(path_of(uuid4()), partner), 404, "payout_not_found")
    problem(shop.get(admin_path_of(uuid4()), sign_up("FINANCE")), 404, "payout_not_found")
    problem(shop.get(path_of(payout_id, "format=xls"), partner), 422, "validation_failed", pointer="/format")
    problem(shop.get(path_of(payout_id, "lang=fr"), partner), 422, "validation_failed", pointer="/lang")
    problem(shop.get(path_of(payout_id)), 401, "unauthorized")


@pytest.mark.slow
def test_what_is_too_long_to_print_is_mailed_as_csv_and_the_longest_not_at_all(
    shop: Shop, payroll: Payroll, partner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    payee = payroll.a_payee(user_id=partner.user_id)
    payroll.earn_each([(payee, 10)] * (MOST_PRINTED + 1))
    payout_id = paid(payroll, payee)
    use = shop.running.dependencies

    problem(shop.get(path_of(payout_id), partner), 422, "statement_too_long")
    lines = lines_of(shop.get(path_of(payout_id, "format=csv"), partner))
    assert len([line for line in lines if line["kind"] == "EARNED"]) == MOST_PRINTED + 1
    assert lines[-2]["added"] == "100.10"
    drawing = {"statements": use.payout_statements, "renderer": use.renderer, "clock": use.clock}
    assert [file.content_type for file in files_of(payout_id, "en", **drawing)] == ["text/csv"]  # type: ignore[arg-type]
    monkeypatch.setattr("application.payouts.statements.MOST_MAILED", MOST_PRINTED)
    assert MOST_MAILED > MOST_PRINTED
    assert files_of(payout_id, "en", **drawing) == ()  # type: ignore[arg-type]


def test_drawn_statements_go_after_thirty_days(
    shop: Shop, running: Running, clock: MovableClock, payroll: Payroll, payee: Payee, partner: Person
) -> None:
    use = running.dependencies
    payout_id = paid(payroll, payee)
    shop.get(path_of(payout_id), partner)
    shop.deliver_events(draw=True)
    assert len(kept(running)) == 1

    clock.offset = timedelta(days=29)
    assert drop_past_payout_statements(new_uow=use.new_uow, storage=use.storage, clock=clock) == 0
    clock.offset = timedelta(days=31)
    assert drop_past_payout_statements(new_uow=use.new_uow, storage=use.storage, clock=clock) == 1
    assert kept(running) == []
    assert shop.database.rows("SELECT 1 FROM payout_statements") == []


@pytest.fixture
def paid_by_bank(shop: Shop, payroll: Payroll, partner: Person) -> UUID:
    """A payout that left its payee nothing to be owed, so that they may go."""
    payee = payroll.a_payee(8_000, method="BANK_TRANSFER", user_id=partner.user_id)
    payroll.approved()
    payout_id: UUID = payroll.payout_of(payee)["id"]
    use = shop.running.dependencies
    command = DecidePayout(payout_id=payout_id, actor_id=payroll.clerk, bank_reference="BR-1")
    confirm_payout(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    return payout_id


def test_drawn_statements_go_with_their_person_and_the_payout_stays(
    shop: Shop, running: Running, paid_by_bank: UUID, partner: Person
) -> None:
    shop.get(path_of(paid_by_bank), partner)
    shop.deliver_events(draw=True)
    assert len(kept(running)) == 1

    erase(shop, partner.user_id)

    assert kept(running) == []
    assert shop.database.rows("SELECT 1 FROM payout_statements") == []
    assert len(shop.database.rows("SELECT 1 FROM payouts WHERE status = 'PAID'")) == 1


def test_what_is_drawn_for_somebody_who_is_erased_meanwhile_is_not_kept(
    shop: Shop, running: Running, paid_by_bank: UUID, partner: Person
) -> None:
    shop.get(path_of(paid_by_bank), partner)
    with connect(shop.addresses.owner) as connection:
        # What the erasure does to the row, between the drawing's first look and its last.
        connection.execute(
            "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER gone BEFORE UPDATE ON payout_statements FOR EACH ROW EXECUTE FUNCTION gone()"
        )

    shop.deliver_events(draw=True)

    assert kept(running) == []


def test_drawing_is_bounded_by_the_day(
    shop: Shop, payroll: Payroll, payee: Payee, partner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.v1.payouts.statements.MOST_A_DAY", 1)
    payout_id = paid(payroll, payee)
    assert shop.get(path_of(payout_id, "lang=ar"), partner).status_code == 202
    problem(shop.get(path_of(payout_id, "lang=en"), partner), 429, "statement_limit_reached")
    assert len(shop.database.rows("SELECT 1 FROM payout_statements")) == 1
