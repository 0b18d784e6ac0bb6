"""Visitor IDs such as `00123A`: a keyed permutation of the visitor's place in the window's ledger, and a check letter.

The permutation is a balanced Feistel network over HMAC-SHA256, walked in cycles until it falls into the range (Black &
Rogaway 2002, "Ciphers with arbitrary finite domains"), so numbers are unique, say nothing about the order of arrival,
and cannot be joined across windows without the window's key.
"""

import hmac
from typing import Final

_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"  # 23, a prime: any one wrong digit or swap of neighbours changes the letter
_MIN_DIGITS: Final = 5
_MAX_DIGITS: Final = 18  # what 64 bits hold; a longer text from outside is not worth converting
_ROUNDS: Final = 8


def visitor_id(ordinal: int, key: bytes) -> str:
    """Return the Visitor ID of the visitor at place `ordinal` (from 0) of a window's ledger.

    Five digits serve the first 100,000 visitors, six the next 900,000, and so on: an ID never changes as others come.

    Raises:
        ValueError: negative ordinal.
    """
    if ordinal < 0:
        raise ValueError(f"expected a place of 0 or more in the ledger, got {ordinal}")
    digits = max(_MIN_DIGITS, len(str(ordinal)))
    low = 0 if digits == _MIN_DIGITS else 10 ** (digits - 1)
    number = low + _permute(ordinal - low, 10**digits - low, key)
    return f"{number:0{digits}d}{check_letter(number)}"


def check_letter(number: int) -> str:
    """Return the letter that guards a visitor's number against typing errors (remainder modulo 23)."""
    return _LETTERS[number % len(_LETTERS)]


def is_visitor_id(text: str) -> bool:
    """Return whether `text` is a number as `visitor_id` writes it, with its check letter."""
    digits, letter = text[:-1], text[-1:]
    if not (_MIN_DIGITS <= len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit()):
        return False
    return len(digits) == max(_MIN_DIGITS, len(str(int(digits)))) and check_letter(int(digits)) == letter


def _permute(value: int, size: int, key: bytes) -> int:
    half_bits = ((size - 1).bit_length() + 1) // 2
    value = _feistel(value, half_bits, key)
    while value >= size:
        value = _feistel(value, half_bits, key)
    return value


def _feistel(value: int, half_bits: int, key: bytes) -> int:
    mask = (1 << half_bits) - 1
    left, right = value >> half_bits, value & mask
    for number in range(_ROUNDS):
        message = bytes([number, half_bits]) + right.to_bytes(16, "big")
        mixed = int.from_bytes(hmac.digest(key, message, "sha256")[:16], "big") & mask
        left, right = right, left ^ mixed
    return left << half_bits | right
