"""Bank accounts: IBANs by length, country and check digits; plain numbers; never more shown than the end (§10)."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.partners.bank_accounts import BankAccount
from domain.shared.bank_codes import IBAN_LENGTHS
from domain.shared.errors import InvalidValue

# From the SWIFT IBAN Registry, one for each way that they are made of digits and letters.
EXAMPLES = (
    "EG380019000500000000263180002", "AE070331234567890123456", "SA0380000000608010167519",
    "KW81CBKU0000000000001234560101", "QA58DOHB00001234567890ABCDEFG", "JO94CBJO0010000000000131000302",
    "GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606",
    "MT84MALT011000012345MTLCAST001S", "NO9386011117947", "BH67BMAG00001299123456",
)  # fmt: skip
ARABIC_DIGITS = "".join(chr(0x0660 + digit) for digit in range(1, 7))
LETTERS = string.ascii_uppercase + string.digits


def an_account(number: str, **said: str) -> BankAccount:
    return BankAccount(**{"holder_name": "Nile Voyages", "account_number": number, "bank_name": "A bank", **said})


def fault(number: str, **said: str) -> tuple[str, str]:
    with pytest.raises(InvalidValue) as refused:
        an_account(number, **said)
    (one,) = refused.value.faults
    return one.pointer, one.code


@st.composite
def ibans(draw: st.DrawFn, of: str = LETTERS) -> str:
    """One of any country, with check digits worked out by hand (ISO 7064): 98 less the rest of division by 97."""
    country = draw(st.sampled_from(sorted(IBAN_LENGTHS)))
    rest = draw(st.text(of, min_size=IBAN_LENGTHS[country] - 4, max_size=IBAN_LENGTHS[country] - 4))
    digits = "".join(str(int(char, 36)) for char in f"{rest}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{rest}"


@pytest.mark.parametrize("iban", EXAMPLES)
def test_what_banks_print_is_taken(iban: str) -> None:
    spaced = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4)).lower()
    account = an_account(spaced)
    assert (account.account_number, account.has_iban) == (iban, True)


@given(iban=ibans())
def test_every_country_by_its_length_and_check_digits(iban: str) -> None:
    assert an_account(iban).account_number == iban


@given(iban=ibans(), place=st.integers(4, 14), other=st.sampled_from(LETTERS))
def test_one_wrong_character_is_found(iban: str, place: int, other: str) -> None:
    """A digit for a digit, or a letter for a letter: that is what the check is made to find without fail."""
    if other != iban[place] and other.isdigit() == iban[place].isdigit():
        assert fault(iban[:place] + other + iban[place + 1 :]) == ("/account_number", "invalid_iban")


@given(iban=ibans(of=string.digits), place=st.integers(4, 13))
def test_two_digits_that_changed_places_are_found(iban: str, place: int) -> None:
    wrong = iban[:place] + iban[place + 1] + iban[place] + iban[place + 2 :]
    if wrong != iban:
        assert fault(wrong) == ("/account_number", "invalid_iban")


@given(iban=ibans(), more=st.integers(-3, 3).filter(bool))
def test_another_length_is_found(iban: str, more: int) -> None:
    wrong = iban[:more] if more < 0 else iban + "0" * more
    assert fault(wrong) == ("/account_number", "invalid_iban")


@given(text=st.text(max_size=40))
def test_anything_else_is_taken_whole_or_refused_by_name(text: str) -> None:
    try:
        number = an_account(text).account_number
    except InvalidValue as refused:
        assert refused.faults[0].pointer == "/account_number"
    else:
        assert number.isascii()
        assert number.isalnum()


@pytest.mark.parametrize(
    "number",
    [
        "ZZ380019000500000000263180002",
        "EG3800190005000000002631800",
        "EGX80019000500000000263180002",
        "E",
        "١٢٣٤٥٦",
        "12",
    ],
)
def test_what_is_none_is_refused(number: str) -> None:
    assert fault(number)[0] == "/account_number"


def test_a_plain_number_needs_its_bank() -> None:
    assert an_account("1002-0030 0417").account_number == "100200300417"
    assert not an_account("100200300417").has_iban
    assert fault("100200300417", bank_name=" ") == ("/bank_name", "required")


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("NBEGEGCX", True),
        ("nbegegcx001", True),
        ("", True),
        ("NBEG", False),
        ("NBEGEGCX01", False),
        ("NBEG3GCX", False),
    ],
)
def test_a_swift_code_has_its_form(code: str, is_one: bool) -> None:
    if is_one:
        assert an_account(EXAMPLES[0], swift_code=code).swift_code == code.upper()
    else:
        assert fault(EXAMPLES[0], swift_code=code) == ("/swift_code", "invalid_swift_code")


def test_somebody_holds_it() -> None:
    assert fault(EXAMPLES[0], holder_name=" ") == ("/holder_name", "required")


@given(iban=ibans())
def test_a_mask_shows_the_bank_and_the_end(iban: str) -> None:
    assert an_account(iban).masked == f"A bank •••• {iban[-4:]}"
    assert an_account(iban, bank_name="").masked == f"{iban[:2]} •••• {iban[-4:]}"


@given(iban=ibans())
def test_what_is_kept_is_read_again(iban: str) -> None:
    account = an_account(iban, bank_branch="Luxor", swift_code="NBEGEGCX")
    assert BankAccount.of(account.document()) == account
