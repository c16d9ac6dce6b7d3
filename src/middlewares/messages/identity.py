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
        ("This e-mail has an account", "Sign in, or reset the password."),
        ("لهذا البريد حساب", "سجل الدخول أو استعد كلمة المرور."),
    ),
    "verification_invalid": (
        ("The link or code is not valid", "It is unknown, used or expired."),
        ("الرابط أو الرمز غير صالح", "غير معروف أو مستخدم أو منته."),
    ),
}
