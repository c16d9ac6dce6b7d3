"""One event, every channel: who is told by what, in which language, when, and what becomes of what does not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from application.messaging.devices import RegisterDevice, register_device
from application.messaging.ports import EmailMessage, MailUnavailable, PushUnavailable, RecipientRefused
from application.messaging.sending import release_held, send_delivery
from application.subscriptions import HANDLERS, QUICK, RETIRED
from config.settings import load_settings
from domain.messaging.deliveries import DeliveryPlanned
from domain.messaging.devices import Platform
from domain.sales.booking_events import BookingConfirmed
from infrastructure.messaging.event_relay import EventRelay
from infrastructure.messaging.jobs import JsonJob, JsonQueue
from infrastructure.messaging.push import FcmPushSender
from infrastructure.messaging.suppression import SparingEmailSender
from tests.api.mailbox import mails_to, texts
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from tests.fakes.fcm_server import INVALID_TOKEN, OUTAGE, FakeFcm, fcm_server
from tests.integration.shop import all_at_once
from workers.notification_worker import send_booking_cancelled, send_booking_confirmation, send_payment_reminder
from workers.process import hold

pytestmark = pytest.mark.database

PATH = "/api/v1/users/me/notification-preferences"
DEVICES = "/api/v1/users/me/devices"


@pytest.fixture
def fcm() -> Iterator[FakeFcm]:
    with fcm_server() as server:
        yield server


@pytest.fixture
def pushing(shop: Shop, fcm: FakeFcm, clock: MovableClock) -> Shop:
    """A shop whose workers push."""
    account = load_settings({"ENVIRONMENT": "test", **fcm.environ}, root=shop.running.settings.home).fcm
    assert account is not None
    use_instead(shop, push=FcmPushSender(account, clock))
    return shop


def use_instead(shop: Shop, **ports: Any) -> None:
    shop.running = replace(shop.running, dependencies=replace(shop.running.dependencies, **ports))


def with_phone(shop: Shop, person: Person, number: str = "+201000000007") -> Person:
    """Their number is proved."""
    with shop.database.transaction() as transaction:
        transaction.execute(
            "UPDATE users SET phone = %s, phone_verified_at = now() WHERE id = %s", (number, person.user_id)
        )
        transaction.commit()
    return person


def device(shop: Shop, person: Person, token: str = "", **asked: Any) -> dict[str, Any]:
    body = {"token": token or f"device-token-{uuid4().hex}", "platform": "ANDROID", "locale": "ar", **asked}
    return shop.done(shop.post(DEVICES, person, body), 201)


def confirmed_booking(shop: Shop, person: Person) -> dict[str, Any]:
    booking = shop.book(person, shop.offer())
    shop.take_payment(shop.pay(person, booking))
    return booking


def deliveries(shop: Shop, person: Person, event: str = "sales.booking_confirmed") -> dict[str, dict[str, Any]]:
    """What became of each channel; one device at most."""
    rows = shop.database.rows(
        "SELECT n.* FROM notification_deliveries n JOIN outbox_events e ON e.id = n.event_id"
        " WHERE n.user_id = %s AND e.name = %s",
        (person.user_id, event),
    )
    assert len({row["channel"] for row in rows}) == len(rows)
    return {row["channel"]: row for row in rows}


def test_the_name_of_the_event_is_what_these_tests_suppose() -> None:
    assert BookingConfirmed.name == "sales.booking_confirmed"


def test_a_confirmation_goes_out_by_every_channel_each_in_its_readers_language(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm
) -> None:
    customer = with_phone(pushing, sign_up(locale="en"))
    device(pushing, customer, "a-device-token-of-mine-1", locale="ar")
    booking = confirmed_booking(pushing, customer)

    number = booking["booking_number"]
    (text,) = [text for to, text in texts(pushing.running.settings.home) if to == "+201000000007"]
    assert text == f"AltayarVIP: Nile cruise is confirmed ({number}).\n"
    (push,) = [
        push
        for push in fcm.pushes
        if number in push["notification"]["body"] and "تأكيد" in push["notification"]["title"]
    ]
    assert push["token"] == "a-device-token-of-mine-1"
    assert push["notification"] == {"title": "تم تأكيد حجزك", "body": f"تم تأكيد رحلة نيلية ({number})."}
    assert push["data"] == {"notification_type": "BOOKING_CONFIRMED", "link_type": "BOOKING", "link_id": booking["id"]}
    mails = mails_to(customer.email, pushing.running.settings.home)
    assert len([mail for mail in mails if number in mail.text and "confirmed" in mail.subject]) == 1
    assert {channel: row["status"] for channel, row in deliveries(pushing, customer).items()} == {
        "EMAIL": "SENT",
        "SMS": "SENT",
        "PUSH": "SENT",
    }


def test_telling_and_sending_twice_is_doing_it_once(pushing: Shop, sign_up: SignUp, fcm: FakeFcm) -> None:
    customer = sign_up()
    device(pushing, customer)
    confirmed_booking(pushing, customer)
    pushed, mailed = len(fcm.pushes), len(mails_to(customer.email, pushing.running.settings.home))
    sent = deliveries(pushing, customer)

    for row in sent.values():
        all_at_once([partial(send_delivery, row["id"], pushing.running.dependencies)] * 3)
    with pushing.running.dependencies.new_uow() as uow:
        for row in sent.values():
            uow.publish(DeliveryPlanned(at=pushing.running.dependencies.clock.now(), delivery_id=row["id"]))
        uow.commit()
    pushing.deliver_events()

    assert len(fcm.pushes) == pushed
    assert len(mails_to(customer.email, pushing.running.settings.home)) == mailed
    assert deliveries(pushing, customer) == sent


def test_who_has_proved_no_number_and_has_no_device_gets_the_mail_alone(pushing: Shop, sign_up: SignUp) -> None:
    customer = sign_up(phone="0100 000 0000")
    confirmed_booking(pushing, customer)
    assert set(deliveries(pushing, customer)) == {"EMAIL"}


def test_an_outage_loses_no_device_and_what_failed_is_sent_once_it_is_over(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm
) -> None:
    customer = sign_up()
    device(pushing, customer)
    booking = pushing.book(customer, pushing.offer())
    fcm.answers = [OUTAGE] * 9
    payment = pushing.pay(customer, booking)
    with pytest.raises(PushUnavailable):
        pushing.take_payment(payment)

    (failed,) = pushing.database.rows("SELECT * FROM notification_deliveries WHERE attempts > 0 AND channel = 'PUSH'")
    assert (failed["status"], failed["attempts"], failed["last_error"]) == ("PENDING", 1, "push_unavailable")
    assert len(pushing.done(pushing.get(DEVICES, customer))["items"]) == 1
    fcm.answers = []
    send_delivery(failed["id"], pushing.running.dependencies)
    (again,) = pushing.database.rows("SELECT * FROM notification_deliveries WHERE id = %s", (failed["id"],))
    assert (again["status"], again["attempts"], again["last_error"]) == ("SENT", 2, None)


@pytest.mark.parametrize("answer", [None, INVALID_TOKEN], ids=["unregistered", "invalid"])
def test_a_device_whose_token_is_dead_is_forgotten_and_the_others_stay(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm, answer: Any
) -> None:
    customer = sign_up()
    device(pushing, customer, "a-token-that-is-dead-now")
    if answer is None:
        fcm.gone = {"a-token-that-is-dead-now"}
    else:
        fcm.answers = [answer]
    confirmed_booking(pushing, customer)
    assert pushing.done(pushing.get(DEVICES, customer))["items"] == []
    kept = pushing.database.rows("SELECT status, last_error FROM notification_deliveries WHERE channel = 'PUSH'")
    assert {"status": "REFUSED", "last_error": "device_gone"} in kept


def test_a_token_is_whoever_registered_it_lasts(pushing: Shop, sign_up: SignUp, fcm: FakeFcm) -> None:
    first, second = sign_up(), sign_up()
    before = device(pushing, first, "a-telephone-they-share")
    after = device(pushing, second, "a-telephone-they-share")
    assert before["id"] != after["id"]
    assert pushing.done(pushing.get(DEVICES, first))["items"] == []
    confirmed_booking(pushing, first)
    assert fcm.pushes == []
    confirmed_booking(pushing, second)
    assert {push["token"] for push in fcm.pushes} == {"a-telephone-they-share"}


def test_a_push_that_waits_does_not_follow_the_telephone_to_its_next_owner(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm, clock: MovableClock
) -> None:
    first, second = sign_up(), sign_up()
    device(pushing, first, "a-telephone-they-share")
    quiet_now(pushing, first, clock)
    confirmed_booking(pushing, first)
    device(pushing, second, "a-telephone-they-share")
    clock.offset += timedelta(hours=3)
    release_held(new_uow=pushing.running.dependencies.new_uow, clock=clock)
    pushing.deliver_events()
    assert fcm.pushes == []
    assert deliveries(pushing, first)["PUSH"]["status"] == "SKIPPED"


def register(shop: Shop, person: Person) -> None:
    use = shop.running.dependencies
    command = RegisterDevice(user_id=person.user_id, token="a-telephone-they-share", platform=Platform.IOS, locale="en")
    register_device(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)


def test_registering_at_once_by_two_people_leaves_one_owner(pushing: Shop, sign_up: SignUp) -> None:
    people = [sign_up() for _ in range(4)]
    answers = all_at_once([partial(register, pushing, person) for person in people])
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    owners = pushing.database.rows("SELECT user_id FROM device_tokens WHERE token = 'a-telephone-they-share'")
    assert len(owners) == 1


def test_a_device_seen_again_stays_one_and_beyond_ten_the_oldest_goes(
    pushing: Shop, sign_up: SignUp, clock: MovableClock
) -> None:
    customer = sign_up()
    first = device(pushing, customer, "the-first-device-of-all")
    assert device(pushing, customer, "the-first-device-of-all", locale="en")["id"] == first["id"]
    for _ in range(10):
        clock.offset += timedelta(seconds=1)
        device(pushing, customer)
    shown = pushing.done(pushing.get(DEVICES, customer))["items"]
    assert len(shown) == 10
    assert first["id"] not in {each["id"] for each in shown}
    assert not any("token" in each for each in shown)


def test_a_device_is_removed_by_its_owner_alone(pushing: Shop, sign_up: SignUp) -> None:
    customer, other = sign_up(), sign_up()
    mine = device(pushing, customer)
    path = f"{DEVICES}/{mine['id']}"
    problem(pushing.client.delete(path, headers=other.headers), 404, "device_not_found")
    assert pushing.client.delete(path, headers=customer.headers).status_code == 204
    problem(pushing.client.delete(path, headers=customer.headers), 404, "device_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"token": "short", "platform": "IOS"},
        {"token": "x" * 1001, "platform": "IOS"},
        {"token": "t" * 30, "platform": "SYMBIAN"},
        {"token": "t" * 30, "platform": "IOS", "locale": "fr"},
        {"token": "t" * 30, "platform": "IOS", "user_id": str(uuid4())},
        {"platform": "IOS"},
    ],
)
def test_bad_devices_are_refused(pushing: Shop, sign_up: SignUp, body: dict[str, Any]) -> None:
    problem(pushing.post(DEVICES, sign_up(), body), 422, "validation_failed")


def quiet_now(shop: Shop, person: Person, clock: MovableClock) -> None:
    """Two hours of quiet in UTC, around this moment."""
    now = clock.now()
    hours = {"begins": f"{now - timedelta(hours=1):%H:%M}", "ends": f"{now + timedelta(hours=1):%H:%M}"}
    changes = {"quiet_hours": hours, "time_zone": "UTC"}
    shop.done(shop.client.patch(PATH, json=changes, headers=person.headers))


def test_in_quiet_hours_pushes_and_texts_wait_in_rows_and_mails_do_not(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm, clock: MovableClock
) -> None:
    customer = with_phone(pushing, sign_up())
    device(pushing, customer)
    quiet_now(pushing, customer, clock)
    confirmed_booking(pushing, customer)

    held = deliveries(pushing, customer)
    assert {channel: row["status"] for channel, row in held.items()} == {"EMAIL": "SENT", "SMS": "HELD", "PUSH": "HELD"}
    assert fcm.pushes == []
    assert release_held(new_uow=pushing.running.dependencies.new_uow, clock=clock) == 0

    clock.offset += timedelta(hours=1, minutes=1)
    assert release_held(new_uow=pushing.running.dependencies.new_uow, clock=clock) >= 2
    assert release_held(new_uow=pushing.running.dependencies.new_uow, clock=clock) == 0
    pushing.deliver_events()
    assert {row["status"] for row in deliveries(pushing, customer).values()} == {"SENT"}
    assert len({push["notification"]["body"] for push in fcm.pushes}) == len(fcm.pushes)


def test_preferences_begin_as_usual_and_are_changed_one_by_one(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    usual = shop.done(shop.get(PATH, customer))
    assert usual["time_zone"] == "Africa/Cairo"
    assert usual["quiet_hours"] is None
    kinds = {each["kind"]: each for each in usual["kinds"]}
    assert kinds["PAYMENT_SUCCESS"] == {
        "kind": "PAYMENT_SUCCESS",
        "channels": {"EMAIL": True, "SMS": False, "PUSH": True},
        "fixed": ["EMAIL"],
    }
    changes = {"kinds": {"POINTS_EARNED": {"PUSH": False}}, "quiet_hours": {"begins": "22:00", "ends": "08:00"}}
    shop.done(shop.client.patch(PATH, json=changes, headers=customer.headers))
    changed = shop.done(
        shop.client.patch(PATH, json={"kinds": {"POINTS_EARNED": {"EMAIL": True}}}, headers=customer.headers)
    )
    (points,) = [each for each in changed["kinds"] if each["kind"] == "POINTS_EARNED"]
    assert points["channels"] == {"EMAIL": True, "SMS": False, "PUSH": False}
    assert changed["quiet_hours"] == {"begins": "22:00", "ends": "08:00"}
    ended = shop.done(shop.client.patch(PATH, json={"quiet_hours": None}, headers=customer.headers))
    assert ended["quiet_hours"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kinds": {"PAYMENT_SUCCESS": {"EMAIL": False}}}, "/kinds/PAYMENT_SUCCESS/EMAIL"),
        ({"kinds": {"PAYMENT_REMINDER": {"EMAIL": False}}}, "/kinds/PAYMENT_REMINDER/EMAIL"),
        ({"time_zone": "Africa/Atlantis"}, "/time_zone"),
        ({"time_zone": "localtime"}, "/time_zone"),
        ({"quiet_hours": {"begins": "08:00", "ends": "08:00"}}, "/quiet_hours/ends"),
        ({"quiet_hours": {"begins": "8 am", "ends": "22:00"}}, "/quiet_hours/begins"),
        ({"security": False}, "/security"),
    ],
)
def test_bad_preferences_are_refused_at_their_field(
    shop: Shop, sign_up: SignUp, body: dict[str, Any], pointer: str
) -> None:
    answer = shop.client.patch(PATH, json=body, headers=sign_up().headers)
    assert answer.status_code == 422, answer.json
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_what_is_switched_off_is_not_sent_and_what_is_switched_on_comes_as_a_notice(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm
) -> None:
    customer = with_phone(pushing, sign_up(locale="en"))
    device(pushing, customer)
    changes = {"kinds": {"BOOKING_CONFIRMED": {"SMS": False, "PUSH": False}, "PAYMENT_SUCCESS": {"SMS": True}}}
    pushing.done(pushing.client.patch(PATH, json=changes, headers=customer.headers))
    confirmed_booking(pushing, customer)
    assert set(deliveries(pushing, customer)) == {"EMAIL"}
    assert set(deliveries(pushing, customer, "billing.payment_settled")) == {"EMAIL", "SMS", "PUSH"}


class Unreachable:
    """A mail server that refuses some recipients for good, and is away when it is told to be."""

    def __init__(self, dead: str) -> None:
        self.dead, self.away = dead, False
        self.asked: list[str] = []

    def send(self, message: EmailMessage) -> None:
        self.asked.append(message.to)
        if self.away:
            raise MailUnavailable()
        if message.to == self.dead:
            raise RecipientRefused(status=550)


def test_a_dead_address_is_spared_until_staff_lift_that(shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
    customer = sign_up()
    server = Unreachable(customer.email)
    use_instead(shop, email=SparingEmailSender(server, shop.database, clock))
    confirmed_booking(shop, customer)
    assert server.asked.count(customer.email) == 1
    assert {row["last_error"] for row in deliveries(shop, customer).values()} == {"recipient_refused"}

    path = "/api/v1/admin/suppressed-addresses"
    (found,) = shop.done(shop.get(f"{path}?address={customer.email}", shop.admin))["items"]
    assert (found["address"], found["reason"]) == (customer.email, "recipient_refused 550")
    problem(shop.get(path, customer), 403, "wrong_surface")
    one = f"{path}/{found['id']}"
    assert shop.client.delete(one, headers=shop.admin.headers).status_code == 204
    problem(shop.client.delete(one, headers=shop.admin.headers), 404, "suppression_not_found")
    (logged,) = shop.database.rows(
        "SELECT action, changes FROM audit_logs WHERE status = 'SUCCESS' AND module = 'notifications'"
    )
    assert customer.email not in str(logged)

    server.dead = ""
    assert send_booking_confirmation(shop.running, booking_number_of(shop, customer)) == 1
    shop.deliver_events()
    assert deliveries(shop, customer)["EMAIL"]["status"] == "SENT"


def test_an_outage_of_mail_suppresses_nobody(shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
    customer = sign_up()
    shop.deliver_events()
    server = Unreachable("")
    server.away = True
    use_instead(shop, email=SparingEmailSender(server, shop.database, clock))
    with pytest.raises(MailUnavailable):
        confirmed_booking(shop, customer)
    assert shop.database.rows("SELECT * FROM suppressed_addresses") == []


def booking_number_of(shop: Shop, person: Person) -> str:
    (row,) = shop.database.rows("SELECT booking_number FROM bookings WHERE user_id = %s", (person.user_id,))
    return str(row["booking_number"])


def test_what_was_sent_is_not_sent_again_by_support(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    confirmed_booking(shop, customer)
    number = booking_number_of(shop, customer)
    assert send_booking_confirmation(shop.running, number) == 0
    assert send_booking_cancelled(shop.running, number) == 0
    assert send_payment_reminder(shop.running, number) == 0


def test_what_a_release_before_left_to_mail_is_mailed_once(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    booking = confirmed_booking(shop, customer)
    (event,) = shop.database.rows("SELECT id, payload FROM outbox_events WHERE name = 'sales.booking_confirmed'")
    retired = HANDLERS["messaging.mail_booking_confirmed"]
    assert retired in RETIRED
    payload = {**event["payload"], "event_id": str(event["id"])}
    mails = len(mails_to(customer.email, shop.running.settings.home))
    retired.handle(payload, shop.running.dependencies)
    shop.deliver_events()
    assert len(mails_to(customer.email, shop.running.settings.home)) == mails

    with shop.database.transaction() as transaction:
        transaction.execute("DELETE FROM notification_deliveries WHERE event_id = %s", (event["id"],))
        transaction.commit()
    retired.handle(payload, shop.running.dependencies)
    shop.deliver_events()
    assert len(mails_to(customer.email, shop.running.settings.home)) == mails + 1
    assert len(shown(shop, customer, booking)) == 1
    HANDLERS["messaging.notify_booking_confirmed"].handle(payload, shop.running.dependencies)
    shop.deliver_events()
    assert len(shown(shop, customer, booking)) == 2
    assert len(mails_to(customer.email, shop.running.settings.home)) == mails + 1


def shown(shop: Shop, person: Person, booking: dict[str, Any]) -> list[dict[str, Any]]:
    """What the app says of a booking that is confirmed."""
    notes = shop.done(shop.get("/api/v1/notifications", person))["items"]
    return [note for note in notes if note["link_id"] == booking["id"] and "confirmed" in note["title_en"]]


def test_a_voucher_that_is_given_to_somebody_is_told_to_them(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    body = {"code": "FOR-YOU-10", "voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00"}
    voucher = shop.done(shop.post("/api/v1/vouchers", shop.admin, body), 201)
    assigned = {"user_ids": [str(customer.user_id)]}
    for _ in range(2):
        answer = shop.post(f"/api/v1/vouchers/{voucher['id']}/assignments", shop.admin, assigned)
        assert answer.status_code in (200, 201), answer.json
    shop.deliver_events()
    notes = shop.done(shop.get("/api/v1/notifications", customer))["items"]
    assert [(note["notification_type"], "FOR-YOU-10" in note["message_en"]) for note in notes] == [
        ("OFFER_AVAILABLE", True)
    ]


def test_an_erased_person_is_told_nothing_and_leaves_no_device(pushing: Shop, sign_up: SignUp, fcm: FakeFcm) -> None:
    customer = sign_up()
    device(pushing, customer)
    booking = confirmed_booking(pushing, customer)
    (event,) = pushing.database.rows("SELECT id, payload FROM outbox_events WHERE name = 'sales.booking_confirmed'")
    with pushing.database.transaction() as transaction:
        transaction.execute("DELETE FROM notification_deliveries")
        transaction.commit()
    owner_erases(pushing, customer)
    pushed = len(fcm.pushes)
    HANDLERS["messaging.tell.sales.booking_confirmed"].handle(
        {**event["payload"], "event_id": str(event["id"])}, pushing.running.dependencies
    )
    pushing.deliver_events()
    assert UUID(booking["id"])
    assert len(fcm.pushes) == pushed
    assert pushing.database.rows("SELECT 1 FROM notification_deliveries") == []


def owner_erases(shop: Shop, person: Person) -> None:
    """As the erasing function leaves somebody; its own tests say that it takes devices and deliveries along."""
    from infrastructure.database.roles import connect

    with connect(shop.addresses.owner) as connection:
        connection.execute("DELETE FROM device_tokens WHERE user_id = %s", (person.user_id,))
        connection.execute("UPDATE users SET erased_at = now() WHERE id = %s", (person.user_id,))


def test_the_whole_path_from_the_outbox_over_real_queues_and_workers(
    pushing: Shop, sign_up: SignUp, fcm: FakeFcm, clock: MovableClock
) -> None:
    """An outage of FCM in between: the push is tried again by the worker, and arrives once."""
    customer = sign_up()
    device(pushing, customer)
    body = {"code": "FOR-YOU-10", "voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00"}
    voucher = pushing.done(pushing.post("/api/v1/vouchers", pushing.admin, body), 201)
    pushing.post(f"/api/v1/vouchers/{voucher['id']}/assignments", pushing.admin, {"user_ids": [str(customer.user_id)]})
    fcm.answers = [OUTAGE, OUTAGE]

    work_off(pushing, clock, times=2)
    assert deliveries(pushing, customer, "pricing.voucher_assigned")["PUSH"]["status"] == "PENDING"
    for _ in range(3):
        clock.offset += timedelta(minutes=1)
        work_off(pushing, clock, times=1)

    sent = deliveries(pushing, customer, "pricing.voucher_assigned")
    assert {channel: (row["status"], row["attempts"]) for channel, row in sent.items()} == {"PUSH": ("SENT", 3)}
    assert len(fcm.pushes) == 3
    rest = pushing.database.rows("SELECT handler FROM processed_events WHERE processed_at IS NULL")
    assert rest == []


def work_off(shop: Shop, clock: MovableClock, *, times: int) -> None:
    """Relay, then work, so many times."""
    hold(shop.running)
    with Redis.from_url(shop.running.settings.redis_url) as redis:
        relay = EventRelay(shop.database, redis, clock)
        worker = SimpleWorker(
            [QUICK], connection=redis, job_class=JsonJob, queue_class=JsonQueue, serializer=JSONSerializer
        )
        for _ in range(times):
            relay.relay_once()
            relay.redrive_once()
            worker.work(burst=True)


def test_a_persons_export_has_their_choices_devices_and_deliveries_and_no_token(
    pushing: Shop, sign_up: SignUp, clock: MovableClock
) -> None:
    customer = sign_up()
    device(pushing, customer, "a-token-that-is-nobodys-business")
    quiet_now(pushing, customer, clock)
    confirmed_booking(pushing, customer)
    exporting = pushing.running.dependencies.exporting
    document = exporting.reader.collect(customer.user_id)
    packed = exporting.archive.pack(document, "ar", {})
    assert exporting.archive.json_of(packed)
    assert document["notification_preferences"][0]["time_zone"] == "UTC"
    assert document["devices"][0]["platform"] == "ANDROID"
    assert {"EMAIL", "PUSH"} <= {row["channel"] for row in document["notification_deliveries"]}
    assert "a-token-that-is-nobodys-business" not in str(document)
