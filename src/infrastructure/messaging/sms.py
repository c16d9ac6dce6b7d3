"""Short messages by Twilio, or into a folder where a developer reads them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

import structlog

from application.messaging.ports import SmsMessage, SmsRefused, SmsSender, SmsUnavailable
from config.settings import Settings, TwilioSettings
from domain.shared.clock import Clock
from infrastructure.payment.exchange import Cut, Exchange, NothingSent
from infrastructure.payment.http import CONNECT_SECONDS, TOTAL_SECONDS, json_object
from infrastructure.storage.atomic_file import write_atomically

# What Twilio's error dictionary (twilio.com/docs/api/errors) says of the number alone: invalid, no permission for
# its region, opted out, out of reach, a landline, a short code, a premium number. Every other code may pass, or is
# about our account, and stays for a person.
_NUMBER_REFUSED: Final = frozenset({21211, 21214, 21217, 21265, 21268, 21408, 21610, 21612, 21614, 21635})

log = structlog.get_logger(__name__)


class TwilioSmsSender:
    """SmsSender over Twilio's Messages resource: one request for each message, never repeated here.

    Nothing follows a redirect, and no proxy is taken from the environment. Twilio has no idempotency keys:
    a message whose answer was lost may be sent twice by the outbox.
    """

    def __init__(
        self,
        account: TwilioSettings,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._url = f"{account.base_url}/2010-04-01/Accounts/{account.account_sid}/Messages.json"
        self._sender = account.sender
        credentials = base64.b64encode(f"{account.account_sid}:{account.auth_token}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        self._seconds = (connect_seconds, total_seconds)

    def send(self, message: SmsMessage) -> None:
        """Hand over one message; raises SmsUnavailable or SmsRefused."""
        body = urlencode({"To": message.to, "From": self._sender, "Body": message.text}).encode()
        try:
            status, content = Exchange("POST", self._url, self._headers, body).run(*self._seconds)
        except (NothingSent, Cut) as trouble:
            log.warning("sms", outcome="unavailable", reason=str(trouble))
            raise SmsUnavailable(reason=str(trouble)) from trouble
        if 200 <= status < 300:
            log.info("sms", outcome="accepted", status=status)
            return
        told = (json_object(content) or {}).get("code")
        code = told if isinstance(told, int) else None
        is_final = 400 <= status < 500 and code in _NUMBER_REFUSED
        # Its sentence is left out: it repeats the number.
        log.warning("sms", outcome="refused" if is_final else "unavailable", status=status, code=code)
        if is_final:
            raise SmsRefused(status=status, code=code)
        raise SmsUnavailable(status=status, code=code)


class SmsFolderSender:
    """SmsSender that leaves each message in a folder as a private `.txt` file, named by its time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def send(self, message: SmsMessage) -> None:
        """Write one message; raises SmsUnavailable when the disk refuses."""
        name = f"{self._clock.now():%Y%m%dT%H%M%S.%fZ}-{uuid4().hex[:8]}.txt"
        try:
            write_atomically(self._folder / name, f"To: {message.to}\n\n{message.text}\n".encode())
        except OSError as error:
            raise SmsUnavailable(reason=type(error).__name__) from error


def sms_sender_from(settings: Settings, clock: Clock) -> SmsSender | None:
    """Twilio where an account is set; else the folder `sms` in the home, and in production nobody."""
    if settings.twilio is not None:
        return TwilioSmsSender(settings.twilio)
    return None if settings.is_production else SmsFolderSender(settings.home / "sms", clock)
