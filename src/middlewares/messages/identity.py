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
    "email_already_verified": (
        ("The address is proved", "There is nothing left to verify."),
        ("البريد موثق بالفعل", "لم يبق ما يحتاج إلى توثيق."),
    ),
    "verification_invalid": (
        ("The link or code is not valid", "It is unknown, used or expired."),
        ("الرابط أو الرمز غير صالح", "غير معروف أو مستخدم أو منته."),
    ),
    "second_factor_required": (
        ("A code is needed", "Send the code of the authenticator app, or a recovery code, as well."),
        ("الرمز مطلوب", "أرسل أيضا رمز تطبيق المصادقة أو رمز استرداد."),
    ),
    "second_factor_invalid": (
        ("The code is not valid", "It is wrong, from another time, or used before."),
        ("الرمز غير صالح", "خاطئ أو من وقت آخر أو مستخدم."),
    ),
    "second_factor_already_on": (
        ("The second factor is on", "Switch it off before setting up another one."),
        ("التحقق بخطوتين مفعل", "أوقفه قبل إعداد غيره."),
    ),
    "second_factor_not_on": (
        ("There is no second factor", "Set one up, and confirm it with a first code."),
        ("التحقق بخطوتين غير مفعل", "أعده ثم أكده بأول رمز."),
    ),
    "phone_missing": (
        ("There is no telephone number", "Add one to the profile first."),
        ("لا يوجد رقم هاتف", "أضف رقما إلى الملف الشخصي أولا."),
    ),
    "phone_already_verified": (
        ("The number is verified", "There is nothing left to prove."),
        ("الرقم مؤكد", "لا حاجة إلى تأكيده مجددا."),
    ),
    "phone_code_invalid": (
        ("The code is not valid", "It is wrong, used, expired or tried too often; ask for another one."),
        ("الرمز غير صالح", "خاطئ أو مستخدم أو منته أو جرب كثيرا؛ اطلب رمزا آخر."),
    ),
    "invitation_not_found": (
        ("No such invitation", "There is none with this id."),
        ("لا توجد دعوة كهذه", "لا توجد دعوة بهذا الرقم."),
    ),
    "invitation_closed": (
        ("The invitation is closed", "It is {current}; invite again."),
        ("الدعوة مغلقة", "حالتها {current}؛ أرسل دعوة جديدة."),
    ),
    "invitation_invalid": (
        ("The link is not valid", "It is unknown, used, withdrawn or expired; ask for another invitation."),
        ("الرابط غير صالح", "غير معروف أو مستخدم أو مسحوب أو منته؛ اطلب دعوة أخرى."),
    ),
    "invalid_api_key": (
        ("The API key is not valid", "It is unknown, expired or revoked, or its owner may not act any more."),
        ("مفتاح API غير صالح", "غير معروف أو منته أو ملغى، أو أن صاحبه لم يعد مسموحا له."),
    ),
    "key_not_accepted": (
        ("No API key does this", "People alone do this, signed in."),
        ("لا يقبل هنا مفتاح API", "يتم هذا بعد تسجيل الدخول فقط."),
    ),
    "scope_missing": (
        ("The API key was not made for this", "It needs the scope {scope}."),
        ("مفتاح API لا يشمل هذا", "يحتاج إلى النطاق {scope}."),
    ),
    "api_key_not_found": (
        ("No such API key", "You have no key with this id."),
        ("لا يوجد مفتاح كهذا", "ليس لديك مفتاح بهذا المعرف."),
    ),
    "api_key_ended": (
        ("The API key has ended", "It is expired or revoked; make a new one."),
        ("انتهى مفتاح API", "منته أو ملغى؛ أنشئ مفتاحا جديدا."),
    ),
    "too_many_api_keys": (
        ("Too many API keys", "Nobody has more than {most}; revoke one first."),
        ("مفاتيح API كثيرة جدا", "الحد الأقصى {most}؛ ألغ واحدا أولا."),
    ),
    "wrong_surface": (
        ("Not on this surface", "Sign in where your role counts: staff routes answer staff sessions."),
        ("ليس من هذه الواجهة", "سجل الدخول حيث يسري دورك: مسارات الموظفين لجلسات الموظفين."),
    ),
    "second_factor_needed": (
        (
            "A second factor is needed",
            "Sign in with your second factor: this moves money, or decides what others may do.",
        ),
        ("يلزم عامل تحقق ثان", "سجل الدخول بعامل التحقق الثاني: هذا يحرك أموالا أو يحدد ما يجوز للآخرين."),
    ),
    "role_not_found": (
        ("No such role", "There is no role with this id."),
        ("لا يوجد دور كهذا", "لا يوجد دور بهذا المعرف."),
    ),
    "role_name_taken": (
        ("This role exists", "Another role has this name."),
        ("هذا الدور موجود", "لدور آخر هذا الاسم."),
    ),
    "role_in_use": (
        ("Somebody has this role", "Take it from everybody who has it first."),
        ("الدور مستخدم", "اسحبه أولا من كل من لديه هذا الدور."),
    ),
    "system_role_fixed": (
        ("A role of the system", "Its name stays, it is never deleted, and a super admin may always do everything."),
        ("دور من أدوار النظام", "اسمه ثابت ولا يحذف، وللمدير العام كل الصلاحيات دائما."),
    ),
    "role_not_grantable": (
        ("Not yours to give or take", "You may not give or take {role}, nor change whoever has it."),
        ("ليس من صلاحيتك", "لا يمكنك منح {role} أو سحبه أو تعديل من لديه."),
    ),
    "permission_not_held": (
        ("Not yours to give", "You do not have these permissions yourself: {permissions}."),
        ("ليس من صلاحيتك منحه", "ليست لديك هذه الصلاحيات: {permissions}."),
    ),
    "last_super_admin": (
        ("The last super admin stays", "Make somebody else a super admin first."),
        ("المدير العام الأخير باق", "عين مديرا عاما آخر أولا."),
    ),
    "own_account": (
        ("Not your own account", "Somebody else changes your roles and status."),
        ("ليس لحسابك", "يغير غيرك أدوارك وحالتك."),
    ),
    "account_closed": (
        ("The account was closed", "A closed account stays closed."),
        ("الحساب مغلق", "الحساب المغلق يبقى مغلقا."),
    ),
}
