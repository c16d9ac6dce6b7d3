"""What is said of settings."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "setting_not_found": (
        ("There is no such setting", "Look at the list of settings for their keys."),
        ("لا يوجد هذا الإعداد", "راجع قائمة الإعدادات لمعرفة مفاتيحها."),
    ),
}
