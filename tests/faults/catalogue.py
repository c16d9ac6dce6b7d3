"""The catalogue of faults: each with the guarantees that it tries, and the tests that do it.

`make faults` runs all of them, and everything else of `tests/faults`; `test_catalogue.py` holds that none is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CATALOGUE: Final = (
    "SIGKILL of a web worker between provider call and commit, after commit before answer, before commit;"
    " `pg_ctl stop -m immediate` during webhooks; `pg_terminate_backend`; Redis stopped, flushed, full;"
    " SIGKILL of a work-horse, of worker and horse mid-payout; three payout workers on one batch; two schedulers;"
    " provider timeout with and without the charge; provider 500, HTML, half JSON, 30 s; the same webhook ×50 at once;"
    " every permutation of an event set; paid after cancel; webhook before our own create call returned;"
    " unknown invoice; second code paid; refund answer lost; refund against cancel against payout release;"
    " clock ±11 minutes, ±1 day, month end, DST; pool exhaustion; opposite-order transfers; a row lock held 10 s;"
    " poison payload; 50 MB body, 100,000-deep JSON, 30,000×30,000 PNG; 60 half-open requests;"
    " rolling restart under load; migration under load; restore of a backup."
)
"""Word for word, as the guarantees list it."""

AND: Final = (", ", "; ", ".", " and ")
"""What stands between two faults of the catalogue."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its words in the catalogue, which guarantees it tries, and which tests do it."""

    words: str
    guarantees: str
    tests: tuple[str, ...]
    listed: bool = True
    """Whether the catalogue has it; the others are tried beside it."""


_CRASH = "tests/faults/test_crash_points.py"
_REFUNDS = "tests/faults/test_refund_deaths.py"
_PAYOUTS = "tests/faults/test_payout_deaths.py"
_STORM = "tests/faults/test_payroll_storm.py"
_NETWORK = "tests/faults/test_network.py"
_ANSWERS = "tests/faults/test_provider_answers.py"
_ORDERS = "tests/faults/test_orders.py"
_CLOCKS = "tests/faults/test_clocks.py"
_MACHINE = "tests/faults/test_machine_clocks.py"
_CONTENTION = "tests/faults/test_contention.py"
_SERVERS = "tests/faults/test_servers_stop.py"
_WORKERS = "tests/faults/test_payout_workers.py"
_DISKS = "tests/faults/test_full_disks.py"
_RESTARTS = "tests/deploy/test_restarts.py"

FAULTS: Final = (
    Fault(
        "SIGKILL of a web worker between provider call and commit",
        "Q1 P1 P2 P3",
        (
            f"{_CRASH}::test_a_death_while_a_checkout_is_opened_leaves_books_that_agree",
            f"{_CRASH}::test_a_creation_that_may_have_been_asked_for_is_not_asked_for_again",
            f"{_REFUNDS}::test_a_death_while_money_goes_back_moves_it_once",
            f"{_REFUNDS}::test_a_death_while_stripe_opens_a_page_opens_it_once",
        ),
    ),
    Fault(
        "after commit before answer",
        "Q1 P9",
        (
            f"{_CRASH}::test_a_death_after_all_was_committed_is_answered_as_if_nothing_had_been",
            f"{_CRASH}::test_a_webhook_whose_acknowledgement_was_lost_is_a_duplicate",
        ),
    ),
    Fault(
        "before commit",
        "Q1 P9",
        (
            f"{_CRASH}::test_a_death_at_the_intake_loses_no_webhook_and_doubles_none",
            f"{_CRASH}::test_a_death_while_a_payment_is_settled_settles_it_once",
            f"{_PAYOUTS}::test_a_death_while_a_batch_is_made_approved_or_processed_loses_and_doubles_nothing",
        ),
    ),
    Fault(
        "`pg_ctl stop -m immediate` during webhooks",
        "A3 P9",
        (f"{_SERVERS}::test_postgres_that_is_stopped_at_once_while_webhooks_come_loses_none_that_was_acknowledged",),
    ),
    Fault(
        "`pg_terminate_backend`",
        "A2 A3",
        (
            f"{_CONTENTION}::test_sessions_that_the_server_ends_under_load_lose_and_double_nothing",
            "tests/integration/test_unit_of_work.py::test_the_same_while_the_orm_is_in_use",
            "tests/integration/test_relay.py::test_the_relay_comes_back_by_itself_when_its_connections_are_cut",
            f"{_STORM}::test_every_payout_arrives_once_whoever_is_killed",
        ),
    ),
    Fault("Redis stopped", "A1 J3", (f"{_SERVERS}::test_redis_that_is_gone_forgets_or_is_full_loses_no_obligation",)),
    Fault(
        "flushed",
        "J3",
        (
            f"{_SERVERS}::test_redis_that_is_gone_forgets_or_is_full_loses_no_obligation",
            "tests/integration/test_relay.py::test_what_a_flushed_redis_forgot_is_enqueued_again_when_it_is_due",
        ),
    ),
    Fault("full", "J3 A1", (f"{_SERVERS}::test_redis_that_is_gone_forgets_or_is_full_loses_no_obligation",)),
    Fault(
        "SIGKILL of a work-horse",
        "J4 J7 P3",
        (
            f"{_WORKERS}::test_a_work_horse_that_dies_in_the_middle_of_a_payout_sends_it_once",
            "tests/integration/test_relay.py::test_what_kills_every_worker_that_begins_it_is_buried",
        ),
    ),
    Fault(
        "of worker and horse mid-payout",
        "J4 J7 P3",
        (
            f"{_WORKERS}::test_a_work_horse_that_dies_in_the_middle_of_a_payout_sends_it_once",
            f"{_PAYOUTS}::test_a_death_while_a_transfer_is_sent_sends_it_once",
            "tests/integration/test_workers.py::TestWorkerProcesses"
            "::test_what_a_killed_worker_was_at_is_completed_once_by_another",
        ),
    ),
    Fault(
        "three payout workers on one batch",
        "J7",
        (
            f"{_WORKERS}::test_three_workers_on_one_batch_send_each_payout_once",
            f"{_STORM}::test_every_payout_arrives_once_whoever_is_killed",
        ),
    ),
    Fault(
        "two schedulers",
        "J5",
        (
            "tests/integration/test_schedule.py::test_two_schedulers_wake_each_job_once_as_json_at_the_front",
            "tests/integration/test_schedule.py::test_twenty_dispatchers_at_once_run_the_job_once",
            "tests/integration/test_payroll_schedule.py::test_three_schedulers_at_once_make_one_batch",
        ),
    ),
    Fault(
        "provider timeout with and without the charge",
        "P3 P4",
        (
            f"{_ANSWERS}::test_a_checkout_whose_answer_is_nonsense_or_late_is_in_doubt_and_asked_for_once",
            f"{_NETWORK}::test_a_reply_that_was_eaten_leaves_an_unknown_attempt_that_its_payment_finds",
            f"{_NETWORK}::test_a_black_hole_is_answered_in_ten_seconds_as_unknown_and_nothing_is_repeated",
        ),
    ),
    *(
        Fault(
            words,
            "P3 P4",
            (
                f"{_ANSWERS}::test_a_checkout_whose_answer_is_nonsense_or_late_is_in_doubt_and_asked_for_once",
                f"{_ANSWERS}::test_a_reading_that_is_nonsense_or_late_settles_nothing_and_the_next_one_settles_once",
                *others,
            ),
        )
        for words, *others in (
            ("provider 500", f"{_NETWORK}::test_five_failures_in_a_row_open_the_breaker_and_nobody_is_asked"),
            ("HTML",),
            ("half JSON", f"{_NETWORK}::test_an_answer_that_breaks_off_is_no_answer"),
            ("30 s", f"{_REFUNDS}::test_a_black_hole_takes_ten_seconds_and_no_money"),
        )
    ),
    Fault(
        "the same webhook ×50 at once",
        "P9",
        (
            "tests/e2e/test_faults.py::test_the_same_paid_webhook_fifty_times_at_once_is_one_credit",
            "tests/integration/test_backlog.py::test_the_same_webhook_fifty_times_at_once_is_accepted_once",
        ),
    ),
    Fault(
        "every permutation of an event set",
        "P9",
        (
            "tests/integration/test_provider_permutations.py"
            "::test_told_of_at_whatever_moment_a_few_things_end_in_one_state",
            "tests/integration/test_provider_permutations.py"
            "::test_everything_in_any_order_told_of_late_twice_or_never_ends_in_one_state",
            "tests/integration/test_refund_permutations.py"
            "::test_every_order_of_the_readings_of_money_ends_in_one_state",
        ),
    ),
    Fault(
        "paid after cancel",
        "P6",
        (
            f"{_ORDERS}::test_money_that_is_paid_after_the_cancellation_confirms_nothing_and_waits_for_its_owner",
            "tests/integration/test_cancelling.py"
            "::test_money_that_settles_at_the_same_moment_is_refunded_or_in_suspense",
        ),
    ),
    Fault(
        "webhook before our own create call returned",
        "P9 P6",
        (
            f"{_ORDERS}::test_a_webhook_that_comes_before_our_own_create_call_returned_settles_its_payment_once",
            "tests/integration/test_settlement.py"
            "::test_a_webhook_finds_the_attempt_whose_answer_was_lost_and_the_provider_proves_it",
        ),
    ),
    Fault(
        "unknown invoice",
        "P6",
        (
            "tests/api/test_webhooks_api.py::TestFawaterk"
            "::test_a_genuine_notice_of_an_unknown_invoice_is_kept_and_listed",
            "tests/integration/test_settlement.py"
            "::test_a_webhook_about_nothing_of_ours_is_flagged_once_it_is_no_longer_early",
        ),
    ),
    Fault(
        "second code paid",
        "P6",
        (
            "tests/integration/test_settlement.py::test_two_checkouts_of_one_booking_both_paid_confirm_it_once",
            "tests/integration/test_settlement.py::test_a_second_charge_is_kept_beside_the_confirmed_booking",
            "tests/integration/test_provider_permutations.py"
            "::test_two_checkouts_of_one_booking_that_are_both_paid_end_in_one_sum",
        ),
    ),
    Fault(
        "refund answer lost",
        "P3 M8",
        (
            f"{_REFUNDS}::test_an_answer_that_says_nothing_leaves_doubt_and_money_moves_once",
            f"{_REFUNDS}::test_a_reply_that_was_eaten_is_found_by_reading",
        ),
    ),
    Fault(
        "refund against cancel against payout release",
        "M5 M8 J7",
        (
            f"{_ORDERS}::test_a_refund_a_cancellation_and_a_payout_at_the_same_moment_give_away_nothing_twice",
            "tests/integration/test_payroll.py::test_an_approval_and_a_refund_at_once_pay_what_is_borne",
        ),
    ),
    *(
        Fault(
            words,
            "P8 Q1",
            (
                f"{_CLOCKS}::test_a_clock_that_is_wrong_all_the_time_costs_no_money",
                f"{_CLOCKS}::test_a_clock_that_jumps_in_the_middle_costs_no_money",
                f"{_CLOCKS}::test_a_clock_that_jumps_forth_and_back_leaves_keys_and_sessions_working",
                f"{_MACHINE}::test_every_program_by_a_wrong_clock_books_money_once",
                *others,
            ),
        )
        for words, *others in (
            (
                "clock ±11 minutes",
                "tests/contract/test_stripe_webhooks.py::test_what_was_signed_long_ago_or_in_the_future_is_not",
            ),
            ("±1 day",),
        )
    ),
    Fault(
        "month end",
        "J5",
        (
            f"{_CLOCKS}::test_a_deposit_across_an_odd_moment_is_booked_once",
            "tests/integration/test_payroll_schedule.py::test_the_months_batch_takes_what_the_weeks_left",
        ),
    ),
    Fault(
        "DST",
        "J5",
        (
            f"{_CLOCKS}::test_a_deposit_across_an_odd_moment_is_booked_once",
            "tests/integration/test_schedule.py"
            "::test_the_day_of_maintenance_begins_at_two_in_cairo_in_winter_and_summer",
            "tests/domain/test_ledger_periods.py::test_the_night_that_has_no_midnight",
        ),
    ),
    Fault(
        "pool exhaustion",
        "A2",
        (
            f"{_CONTENTION}::test_an_empty_pool_is_503_with_retry_after_and_serves_again_when_it_is_not",
            "tests/integration/test_unit_of_work.py"
            "::test_when_every_connection_is_taken_one_waits_so_long_and_no_longer",
        ),
    ),
    Fault(
        "opposite-order transfers",
        "M5",
        (
            "tests/integration/test_ledger_concurrency.py"
            "::test_transfers_in_opposite_directions_do_not_lock_each_other_out",
            "tests/integration/test_ledger_concurrency.py::test_400_transfers_in_opposite_orders_never_meet_a_deadlock",
        ),
    ),
    Fault(
        "a row lock held 10 s",
        "M5 Q4",
        (f"{_CONTENTION}::test_a_row_that_is_locked_for_ten_seconds_is_busy_and_no_fault_of_ours",),
    ),
    Fault(
        "poison payload",
        "J6",
        (
            "tests/integration/test_workers.py::TestOneDelivery"
            "::test_poison_is_buried_after_ten_attempts_and_can_be_replayed",
            "tests/integration/test_workers.py::TestOneDelivery::test_what_is_behind_poison_keeps_moving",
        ),
    ),
    Fault("50 MB body", "A5", (f"{_RESTARTS}::test_a_body_of_50_mb_is_413_and_costs_no_memory",)),
    Fault("100,000-deep JSON", "A5", ("tests/api/test_boundary.py::TestSizes::test_json_is_not_nested_without_end",)),
    Fault(
        "30,000×30,000 PNG",
        "S7",
        ("tests/api/test_package_images.py::TestRefusals::test_what_is_no_usable_picture_leaves_nothing",),
    ),
    Fault(
        "60 half-open requests",
        "A5",
        ("tests/deploy/test_proxy.py::test_half_sent_requests_stop_nobody_and_never_reach_the_application",),
    ),
    Fault(
        "rolling restart under load",
        "A4 Q1",
        (f"{_RESTARTS}::test_servers_that_are_restarted_in_turn_under_load_lose_and_double_nothing",),
    ),
    Fault(
        "migration under load",
        "A7",
        (
            f"{_RESTARTS}::test_a_database_that_is_migrated_under_load_stops_nobody",
            f"{_RESTARTS}::test_a_migration_that_meets_a_long_transaction_gives_way",
        ),
    ),
    Fault(
        "restore of a backup",
        "A7",
        ("tests/deploy/test_backups.py::test_a_drill_brings_everything_back_on_a_server_that_never_saw_it",),
    ),
    Fault(
        "the database's disk full",
        "A6",
        (f"{_DISKS}::test_a_full_disk_of_the_database_is_told_as_unavailable_and_leaves_nothing_half_done",),
        listed=False,
    ),
    Fault(
        "the storage folder's disk full",
        "A6",
        (f"{_DISKS}::test_a_full_disk_of_the_storage_folder_leaves_no_picture_and_no_row",),
        listed=False,
    ),
    Fault(
        "SIGKILL of web server, relay and worker of a whole system",
        "J3 J4 Q1",
        ("tests/e2e/test_faults.py::test_web_relay_and_worker_die_in_the_middle_and_every_journey_ends_once",),
        listed=False,
    ),
    Fault(
        "SIGKILL of a host among five",
        "J3 J4",
        ("tests/deploy/test_hosts.py::test_what_one_host_is_told_every_host_knows_and_a_host_that_dies_loses_nothing",),
        listed=False,
    ),
    Fault(
        "thirty buyers at once for five seats",
        "M8",
        ("tests/e2e/test_faults.py::test_thirty_buyers_at_once_for_the_last_five_seats",),
        listed=False,
    ),
    Fault(
        "a backlog of doubled webhooks and a killed worker",
        "P9 J4",
        ("tests/integration/test_backlog.py::test_a_backlog_with_duplicates_is_drained_and_each_payment_settled_once",),
        listed=False,
    ),
)


def nodes() -> list[str]:
    """The tests of all faults, each once."""
    return list(dict.fromkeys(node for fault in FAULTS for node in fault.tests))


def uncovered() -> Iterator[str]:
    """What stands in the catalogue and is no fault of the table."""
    rest = CATALOGUE
    for fault in FAULTS:
        if fault.listed:
            before, found, rest = rest.partition(fault.words)
            if not found:
                yield f"{fault.words} (where it belongs)"
                return
            yield from _words(before)
    yield from _words(rest)


def _words(between: str) -> Iterator[str]:
    if between not in ("", *AND):
        yield between
