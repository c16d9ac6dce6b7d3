"""One-time codes by time (RFC 6238), and the QR code that takes their secret to an app."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
import qrcode
from qrcode.image.svg import SvgPathImage

from application.identity.ports import NewSecret
from application.ports import Encryption

ISSUER = "AltayarVIP"
STEP_SECONDS = 30
# One step before and after (RFC 6238 §5.2): clocks differ, and people type.
_TOLERANCE = (0, -1, 1)


class TotpCodes:
    """Implements `application.identity.ports.OneTimeCodes`: SHA-1, 6 digits, what every app understands."""

    def __init__(self, encryption: Encryption) -> None:
        self._encryption = encryption

    def new_secret(self, account: str) -> NewSecret:
        text = pyotp.random_base32()
        uri = pyotp.TOTP(text).provisioning_uri(name=account, issuer_name=ISSUER)
        return NewSecret(text=text, uri=uri, qr_svg=_qr_svg(uri), sealed=self._encryption.encrypt(text))

    def step_of(self, sealed: bytes, code: str, *, at: datetime) -> int | None:
        generator = pyotp.TOTP(self._encryption.decrypt(sealed))
        now = int(at.timestamp()) // STEP_SECONDS
        steps = [now + offset for offset in _TOLERANCE]
        right = [step for step in steps if hmac.compare_digest(generator.generate_otp(step), code)]
        return right[0] if right else None


def _qr_svg(text: str) -> bytes:
    svg: bytes = qrcode.make(text, image_factory=SvgPathImage).to_string()
    return svg
