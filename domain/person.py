"""Who an appointment is for, and what they said: everything personal, in one object, to be erased as one."""

import re
import unicodedata
from dataclasses import dataclass

# Hyphens as typesetters write them, too: U+2010 to U+2013.
_SEPARATORS = re.compile(r"[\s().\-/\u2010-\u2013]")
# In Austria, Germany and Switzerland no number begins with the trunk zero; in Italy they do.
_TRUNK_ZERO = re.compile(r"(\+(?:41|43|49))0(?=[1-9])")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL = re.compile(
    r"[^@\s<>,;:\"()\[\]\\]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{1,62}"
)
_EMAIL_LIMIT = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    A customer as the caller gave them, already normalized.

    `metadata` is the caller's own JSON object as canonical text. It is here because
    nobody can promise that it holds nothing personal.
    """

    name: str
    email: str | None = None
    phone: str | None = None
    notes: str | None = None
    metadata: str | None = None

    @property
    def identity(self) -> str:
        """
        Return what makes two requests be about the same person (M1).

        The phone number if there is one, else the e-mail address, else the name;
        never the id of a row, on which two racing requests may not agree.
        """
        if self.phone is not None:
            return f"phone:{self.phone}"
        if self.email is not None:
            return f"email:{self.email.casefold()}"
        return f"name:{folded(self.name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody said in words of their own, of which nobody can promise that they name no one."""

    reason: str


def folded(name: str) -> str:
    """Return a name in the one spelling that equal names share: NFC, casefolded, single spaces."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).split())


def parse_phone(text: str) -> str:
    """
    Return a phone number in E.164 form (`+491701234567`), without separators.

    Raises:
        ValueError: it is not an international number.

    """
    # "+49 (0) 170 …" names the trunk zero that only callers inside the country dial.
    number = _SEPARATORS.sub("", text.replace("(0)", ""))
    number = f"+{number[2:]}" if number.startswith("00") else number
    number = _TRUNK_ZERO.sub(r"\1", number)
    if not number.isascii() or not _E164.fullmatch(number):
        msg = "must be an international number such as +491701234567"
        raise ValueError(msg)
    return number


def parse_email(text: str) -> str:
    """
    Return an e-mail address without surrounding white space.

    Raises:
        ValueError: it cannot be an address.

    """
    address = text.strip()
    if len(address) > _EMAIL_LIMIT or not address.isprintable() or not _EMAIL.fullmatch(address):
        msg = "must be an e-mail address such as ada@example.com"
        raise ValueError(msg)
    return address
