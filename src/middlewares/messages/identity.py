"""What is said of accounts, sessions and access."""

from typing import Final

from middlewares.messages.sentences import Sentences

MESSAGES: Final[Sentences] = {
    "invalid_token": (
        ("The access token is not valid", "It is expired, revoked or not ours; sign in or refresh."),
        ("رمز الدخول غير صالح", "انتهت صلاحيته أو ألغي أو ليس منا؛ سجل الدخول أو جدده."),
    ),
    "session_ended": (
        ("The session has ended", "The refresh token is unknown, used or expired; sign in again."),
        ("انتهت الجلسة", "رمز التجديد غير معروف أو مستخدم أو منته؛ سجل الدخول مجددا."),
    ),
    "wrong_credentials": (
        ("Wrong e-mail or password", "They do not fit together."),
        ("البريد أو كلمة المرور غير صحيحة", "لا يتطابقان."),
    ),
    "sign_in_busy": (
        ("Many people are signing in", "Try again in a few seconds."),
        ("كثيرون يسجلون الدخول الآن", "حاول مجددا بعد ثوان."),
    ),
    "email_taken": (
        ("Another account has proved this e-mail", "Sign in to that one, or reset its password."),
        ("أكد حساب آخر هذا البريد", "سجل الدخول إليه أو استعد كلمة مروره."),
    ),
    "too_many_attempts": (
        (
            "Too many attempts",
            "Wait {retry_after} seconds, or reset the password.",
        ),
        ("محاولات كثيرة جدا", "انتظر {retry_after} ثانية أو استعد كلمة المرور."),
    ),
    "wrong_current_password": (
        ("Wrong current password", "To change a password, give the one that holds now."),
        ("كلمة المرور الحالية غير صحيحة", "لتغيير كلمة المرور أدخل الكلمة الحالية."),
    ),
    "reset_invalid": (
        ("The link is not valid", "It is unknown, used, expired or replaced by a newer one; ask for another."),
        ("الرابط غير صالح", "غير معروف أو مستخدم أو منته أو حل محله رابط أحدث؛ اطلب رابطا آخر."),
    ),
    "session_not_found": (
        ("No such session", "None of your devices is signed in with it."),
        ("لا توجد هذه الجلسة", "لا جهاز من أجهزتك مسجل بها."),
    ),
    "verification_invalid": (
        ("The link or code is not valid", "It is unknown, used or expired."),
        ("الرابط أو الرمز غير صالح", "غير معروف أو مستخدم أو منته."),
    ),
}
