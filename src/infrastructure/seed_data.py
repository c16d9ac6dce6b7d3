"""What every installation begins with, in the guide's words and figures (§7 "Seeding initial data")."""

from __future__ import annotations

from typing import Final

# code, Arabic, English, order, price in piastres, cashback percent, points multiplier, colour
MEMBERSHIP_PLANS: Final = (
    ("GUEST", "ضيف", "Guest", 0, 0, "0.00", "1.00", "#9E9E9E"),
    ("BRONZE", "برونزي", "Bronze", 1, 499_00, "2.00", "1.10", "#CD7F32"),
    ("SILVER", "فضي", "Silver", 2, 999_00, "3.00", "1.25", "#C0C0C0"),
    ("GOLD", "ذهبي", "Gold", 3, 1_999_00, "5.00", "1.50", "#FFD700"),
    ("PLATINUM", "بلاتيني", "Platinum", 4, 3_999_00, "7.00", "1.75", "#E5E4E2"),
    ("DIAMOND", "ماسي", "Diamond", 5, 7_999_00, "10.00", "2.00", "#B9F2FF"),
)

# Arabic, English, tiers (hours before the start, hundredths of a percent that come back)
CANCELLATION_POLICY: Final = (
    "الشروط المعتادة",
    "Standard terms",
    (
        {"hours_before": 7 * 24, "refund": 100_00},
        {"hours_before": 3 * 24, "refund": 50_00},
        {"hours_before": 24, "refund": 25_00},
    ),
)

# code, Arabic, English, icon, colour; the guide names the codes (§2 A)
BOOKING_TYPES: Final = (
    ("HOTEL", "فندق", "Hotel", "hotel", "#1E88E5"),
    ("FLIGHT", "طيران", "Flight", "flight", "#3949AB"),
    ("TOUR", "جولة سياحية", "Tour", "tour", "#43A047"),
    ("TRANSPORTATION", "انتقالات", "Transportation", "directions_bus", "#FB8C00"),
    ("CAR_RENTAL", "تأجير سيارات", "Car Rental", "directions_car", "#6D4C41"),
    ("ACTIVITY", "نشاط", "Activity", "local_activity", "#8E24AA"),
    ("PACKAGE", "باقة سفر", "Travel Package", "card_travel", "#00897B"),
)
