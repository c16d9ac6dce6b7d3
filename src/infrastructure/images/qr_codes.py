"""QR codes as pictures."""

from __future__ import annotations

import io

import qrcode
from qrcode.exceptions import DataOverflowError
from qrcode.image.pil import PilImage

from domain.shared.errors import InvalidValue


class DrawnQrCodes:
    """Implements `application.billing.manual_ports.QrCodes`: medium error correction, a quiet zone of four modules."""

    def png(self, text: str) -> bytes:
        code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=8, border=4)
        code.add_data(text)
        drawn = io.BytesIO()
        try:
            code.make_image(image_factory=PilImage).save(drawn, "PNG")
        except (DataOverflowError, ValueError) as error:
            raise InvalidValue("more than a QR code holds", code="too_much_for_a_code") from error
        return drawn.getvalue()
