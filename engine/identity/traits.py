"""
The strict traits of an identity, their normal form, and how two sets of them compare.

RNIV 1 v2.0, § 3.1: birth name, first given name and list of given names, birth date, sex, birth place (COG of INSEE).
Accents, case, hyphen, apostrophe and blank don't make a difference; the first given name is the start of the list of
given names; a date may be partial or lunar, and then it can't be equal, only compatible. No score: a comparison says
for each trait the same, different, or unknown.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from engine.core.identities import Assertion
    from engine.core.references import References


class Verdict(StrEnum):
    """What the comparison of one trait says. Never a score."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One side says nothing, or not enough to tell."""


class Trait(StrEnum):
    """One of the strict traits."""

    BIRTH_NAME = "birth name"
    FIRST_NAME = "first given name"
    BIRTH_DATE = "birth date"
    SEX = "sex"
    BIRTH_PLACE = "birth place"


class StrictTraits(NamedTuple):
    """What one site says of a person, as it writes it; empty: not said."""

    birth_name: str = ""
    first_name: str = ""
    first_names: str = ""
    """The list of birth given names; with or without the first one."""
    birth_date: str = ""
    sex: str = ""
    birth_place: str = ""
    """COG of INSEE, five characters."""


class NormalTraits(NamedTuple):
    """The same in normal form."""

    birth_name: str
    first: tuple[str, ...]
    """The words of the first given name."""
    listed: tuple[str, ...]
    """The words of the list, the first given name included; empty: no list was said."""
    birth_date: str
    """YYYYMMDD, or the start of it that is known."""
    sex: str
    """M, F or empty."""
    birth_place: str


class Likeness(StrEnum):
    """What the comparison of two identities says."""

    EQUAL = "equal"
    """All five strict traits are said by both, and are the same."""
    COMPATIBLE = "compatible"
    """Nothing differs, but something isn't said, or not fully."""
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two identities, trait by trait."""

    verdicts: dict[Trait, Verdict]
    far: frozenset[Trait]
    """Those that differ by more than an error of typing."""

    @property
    def likeness(self) -> Likeness:
        """All of it in a word."""
        said = self.verdicts.values()
        if Verdict.DIFFERENT in said:
            return Likeness.DIFFERENT
        return Likeness.COMPATIBLE if Verdict.UNKNOWN in said else Likeness.EQUAL

    @property
    def different(self) -> tuple[Trait, ...]:
        """The traits that differ."""
        return self._which(Verdict.DIFFERENT)

    @property
    def unknown(self) -> tuple[Trait, ...]:
        """The traits of which one side says nothing, or not enough."""
        return self._which(Verdict.UNKNOWN)

    @property
    def beyond_tolerance(self) -> bool:
        """
        Whether the two can't be taken for one person, whoever says so: an identity officer must look.

        Two of name, given name, date and sex differ; or the given name alone is quite another: twins, brothers and
        sisters. One trait may be mistyped, and a name may be another after a marriage.
        (docs/developers/identity.md, rule 7.)
        """
        heavy = [trait for trait in self.different if trait is not Trait.BIRTH_PLACE]
        return len(heavy) > 1 or Trait.FIRST_NAME in self.far

    def _which(self, verdict: Verdict) -> tuple[Trait, ...]:
        return tuple(trait for trait, one in self.verdicts.items() if one is verdict)


def traits_of(assertion: Assertion) -> StrictTraits:
    """Return what a site asserted."""
    return StrictTraits(
        assertion.birth_name, assertion.first_name, assertion.first_names, assertion.birth_date, assertion.sex,
        assertion.birth_place,
    )  # fmt: skip


def normal_form(traits: StrictTraits) -> NormalTraits:
    """Bring traits to the form in which they are compared."""
    first, listed = words(traits.first_name), words(traits.first_names)
    if not first:
        first = listed[:1]
    elif listed and listed[: len(first)] != first:
        listed = first + listed  # HL7 v2.5 § 2.A.88: second and further names; PAM France puts the first one too
    return NormalTraits(
        " ".join(words(traits.birth_name)), first, listed, normal_date(traits.birth_date), normal_sex(traits.sex),
        normal_place(traits.birth_place),
    )  # fmt: skip


def trait_hash(traits: StrictTraits, references: References) -> int:
    """
    Hash the five strict traits, so that those who share them are found.

    Of the given names only the first word counts: the list says more in one hospital than in another. So equal
    hashes are candidates, which `compare_traits` decides.

    Returns:
        0 when not all of them are said in full: nothing can be compared.
    """
    normal = normal_form(traits)
    date = normal.birth_date
    if not (normal.birth_name and normal.first and normal.sex and normal.birth_place and whole_date(date)):
        return 0
    value = "\x1f".join((normal.birth_name, normal.first[0], date, normal.sex, normal.birth_place))
    return references.hash("traits", "", value)


def compare_traits(one: StrictTraits, other: StrictTraits) -> Comparison:
    """Compare two identities trait by trait."""
    mine, theirs = normal_form(one), normal_form(other)
    verdicts = {
        Trait.BIRTH_NAME: _compared(mine.birth_name, theirs.birth_name),
        Trait.FIRST_NAME: _compare_given(mine, theirs),
        Trait.BIRTH_DATE: compare_dates(mine.birth_date, theirs.birth_date),
        Trait.SEX: _compared(mine.sex, theirs.sex),
        Trait.BIRTH_PLACE: _compared(mine.birth_place, theirs.birth_place),
    }
    far = set()
    if verdicts[Trait.BIRTH_NAME] is Verdict.DIFFERENT and not _mistyped(mine.birth_name, theirs.birth_name):
        far.add(Trait.BIRTH_NAME)
    if verdicts[Trait.FIRST_NAME] is Verdict.DIFFERENT and _far_given(mine.first, theirs.first):
        far.add(Trait.FIRST_NAME)
    return Comparison(verdicts, frozenset(far))


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name, without accents, in capitals; whatever is no letter or digit parts two words."""
    if name == NULL:
        return ()
    plain = name.upper().replace("Œ", "OE").replace("Æ", "AE").replace("ẞ", "SS")
    letters = "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one))
    return tuple(_WORD.findall(letters))


def normal_date(text: str) -> str:
    """
    Return a date as YYYYMMDD, or the start of it that is known.

    A time behind it isn't looked at; zeros stand for what nobody knows, and so do months beyond 12 and days beyond
    31, with which lunar dates are written.
    """
    digits = text.strip().replace("-", "").replace("/", "")[:8]
    if not digits.isascii() or not digits.isdecimal() or len(digits) < 4 or digits[:2] not in _CENTURIES:
        return ""
    year, month, day = digits[:4], digits[4:6], digits[6:8]
    if len(month) < 2 or not 1 <= int(month) <= 12:
        return year
    if len(day) < 2 or not 1 <= int(day) <= 31:
        return year + month
    return year + month + day


def whole_date(normal: str) -> bool:
    """Whether year, month and day are known."""
    return len(normal) == 8


def compare_dates(one: str, other: str) -> Verdict:
    """Compare two dates in normal form: partial ones are never the same, but may differ."""
    if not one or not other:
        return Verdict.UNKNOWN
    length = min(len(one), len(other))
    if one[:length] != other[:length]:
        return Verdict.DIFFERENT
    return Verdict.SAME if length == 8 else Verdict.UNKNOWN


def normal_sex(text: str) -> str:
    """Return M or F, and nothing for whatever else; 1 and 2 are old French codes."""
    return _SEXES.get(text.strip().upper(), "")


def normal_place(text: str) -> str:
    """Return a COG in capitals; nothing where it has another form."""
    code = text.strip().upper()
    return code if _COG.match(code) else ""


def _compared(one: str, other: str) -> Verdict:
    if not one or not other:
        return Verdict.UNKNOWN
    return Verdict.SAME if one == other else Verdict.DIFFERENT


def _compare_given(mine: NormalTraits, theirs: NormalTraits) -> Verdict:
    """Compare given names: lists where both say one, else the first given name with the start of the list."""
    if not mine.first or not theirs.first:
        return Verdict.UNKNOWN
    if mine.listed and theirs.listed:
        short, long = sorted((mine.listed, theirs.listed), key=len)
        if long[: len(short)] != short:
            return Verdict.DIFFERENT
        return Verdict.SAME if len(short) == len(long) else Verdict.UNKNOWN
    short, long = mine.listed or mine.first, theirs.listed or theirs.first
    if mine.listed or (not theirs.listed and len(short) > len(long)):
        short, long = long, short
    if long[: len(short)] != short:
        return Verdict.DIFFERENT
    listed = bool(mine.listed or theirs.listed)
    return Verdict.SAME if listed or short == long else Verdict.UNKNOWN


def _far_given(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two first given names are quite others: of compound ones (JEAN-PIERRE, JEAN-PAUL) every word counts."""
    short, long = sorted((one, other), key=len)
    return not _mistyped(" ".join(short), " ".join(long[: len(short)]))


def _mistyped(one: str, other: str) -> bool:
    """Whether two names may be one, mistyped: one letter wrong, missing, too many, or two exchanged."""
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    start = next((rank for rank, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    if short[start + 1 :] == long[start + 1 :]:
        return True
    swapped = short[start + 1 : start + 2] + short[start : start + 1] + short[start + 2 :]
    return swapped == long[start:]


NULL: Final = '""'
_CENTURIES: Final = ("18", "19", "20", "21")
_WORD: Final = re.compile(r"[^\W_]+")
_COG: Final = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}\Z", re.ASCII)
_SEXES: Final = {"M": "M", "F": "F", "1": "M", "2": "F"}
