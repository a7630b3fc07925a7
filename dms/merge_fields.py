"""Gathering the fields of several records of one format: what a record adds to those asked before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from catalog.model import Format
from catalog.search import fold
from dms import addresses
from dms.authority_links import Conflict, Known, Told
from dms.formats import identifiers
from dms.merge_policy import FormatPolicy, Policy, Rule
from protocols import marc

Fields = Sequence[tuple[str, str]]
Key = tuple[str, ...]

_OWN = marc.DELIMITER + "5"
_LINK = marc.DELIMITER + "6"


class Gathering:
    """The base's fields and what others have added so far."""

    def __init__(self, policy: Policy, fmt: Format, base: Fields, origin: str) -> None:
        self._policy = policy
        self._rules = rules = policy.formats[fmt]
        self._fields: list[tuple[str, str]] = list(base)
        self._origins = [origin] * len(base)
        self._extra: list[tuple[str, str, str]] = []  # tag, text, origin: their place is found at the end
        self._exact = set(base)
        tags = {tag for tag, _ in base}
        self._answered = {rules.groups[tag] for tag in tags}  # by the base
        self._groups = self._answered.copy()  # by anybody
        self._unasked = {rules.compares[tag].family for tag in tags}  # families of the base not yet in _keyed
        self._keyed: dict[Key, list[int]] = {}  # key -> places in _fields, or ~place in _extra
        self._keys: dict[tuple[str, str], tuple[Key, tuple[str, ...]]] = {}  # fields already read by key_of
        self._links: dict[int, Known] = {}  # ids of authority records that were told, by the place of the heading
        self.conflicts: list[Conflict] = []
        self._occurrence = 0
        if "880" in tags:
            self._occurrence = max(_occurrence(text) for tag, text in base if tag == "880")

    def add(self, fields: Fields, origin: str) -> None:
        """Ask one more record. The order of the asking counts."""
        answered = set(self._groups)
        mates = _mates(fields)
        for pair in fields:
            tag, text = pair
            group = self._rules.groups[tag]
            rule = self._rules.rules[tag]
            if pair in self._exact or tag == "880" or rule is Rule.BASE or _OWN in text:
                self._groups.add(group)
                continue  # 880 comes with its field; $5 is about one library's copy
            if rule is Rule.WHOLE and group in answered and self._is_plain(tag, text):
                continue
            key, optional = self._key(pair)
            same = self._same(tag, key, optional)
            if same is not None:
                self._better(same, tag, text, mates, origin)
            elif rule is Rule.UNION or group not in answered:
                self._append(tag, text, key, mates, origin)
            self._groups.add(group)

    def is_idle(self, fields: Fields) -> bool:
        """These fields add nothing to the base's, whatever is added before or after them.

        That is so if each is the base's own, or never taken over, or the plain form of a value that is there anyway.
        """
        for pair in fields:
            if pair in self._exact:
                continue
            tag, text = pair
            rule = self._rules.rules[tag]
            if self._rules.groups[tag] not in self._answered:
                return False
            if tag == "880" or rule is Rule.BASE or _OWN in text:
                continue
            if not self._is_plain(tag, text):
                return False
            if rule is Rule.UNION and not any(where >= 0 for where in self._alike(tag, self._key(pair)[0])):
                return False
        return True

    def _is_plain(self, tag: str, text: str) -> bool:
        """No form of a value that may be better than another: it has nothing that another may lack."""
        if _LINK in text or marc.DELIMITER + self._rules.authority in text:
            return False
        optional = self._rules.compares[tag].optional
        return not optional or not any(marc.DELIMITER + code in text for code in optional)

    def result(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """All fields, each addition after the last field with its tag or a lower one, and their origins."""
        fields, origins = self._fields, self._origins
        for tag, text, origin in self._extra:
            at = place(fields, tag)
            fields.insert(at, (tag, text))
            origins.insert(at, origin)
        self._extra = []
        return tuple(fields), tuple(origins)

    def _key(self, pair: tuple[str, str]) -> tuple[Key, tuple[str, ...]]:
        """`key_of`, once for each field: it is asked for again whenever another record has nearly the same."""
        found = self._keys.get(pair)
        if found is None:
            found = self._keys[pair] = key_of(self._rules, *pair)
        return found

    def _at(self, where: int) -> tuple[str, str]:
        return self._fields[where] if where >= 0 else self._extra[~where][:2]

    def _same(self, tag: str, key: Key, optional: tuple[str, ...]) -> int | None:
        """Where an equal value stands: the same key, and no optional subfield that says otherwise."""
        for where in self._alike(tag, key):
            if agree(optional, self._key(self._at(where))[1]):
                return where
        return None

    def _alike(self, tag: str, key: Key) -> Sequence[int]:
        """Places of fields with this key."""
        family = self._rules.compares[tag].family
        if family in self._unasked:
            self._unasked.remove(family)
            self._key_base(family)
        return self._keyed.get(key, ())

    def _key_base(self, family: str) -> None:
        """Keys of the base's fields of a family, late: most fields of most records are equal as they are."""
        compares = self._rules.compares
        for where, pair in enumerate(self._fields):
            if compares[pair[0]].family == family:
                self._keyed.setdefault(self._key(pair)[0], []).append(where)

    def _better(self, where: int, tag: str, text: str, mates: Mapping[str, str], origin: str) -> None:
        """The variant with an authority link wins, then the fuller one; an original script is taken over."""
        own_tag, ours = self._at(where)
        link = marc.DELIMITER + self._rules.authority
        if link in text and link in ours and self._rules.linked[tag] and text != ours:
            self._compare_links(where, Told(tag=tag, text=text, key=origin))
        gains = link in text and link not in ours
        if where >= 0 and own_tag in self._rules.protected:
            gains = False
        elif not gains and (link in text) == (link in ours):
            gains = _filled(self._key((tag, text))[1]) > _filled(self._key((own_tag, ours))[1])
        own_link = marc.value(ours, "6")
        if gains:
            indicators = text[:2] if tag == own_tag else ours[:2]
            self._replace(where, indicators + _linked(text, own_link)[2:], origin)
        mate = mates.get(_link(tag, text)) if not own_link else None
        if mate is not None:
            self._replace(where, _linked(self._at(where)[1], self._add_mate(own_tag, mate, origin)), None)

    def _compare_links(self, where: int, told: Told) -> None:
        """Hear the ids of one more record for a heading that has some."""
        known = self._links.get(where)
        if known is None:
            known = self._links[where] = Known(self._policy, self._rules.authority)
            tag, text = self._at(where)
            known.hear(Told(tag=tag, text=text, key=self._origin(where)))
        self.conflicts += known.hear(told)

    def _origin(self, where: int) -> str:
        return self._origins[where] if where >= 0 else self._extra[~where][2]

    def _append(self, tag: str, text: str, key: Key, mates: Mapping[str, str], origin: str) -> None:
        link = _link(tag, text)
        if link:
            mate = mates.get(link)
            text = _linked(text, self._add_mate(tag, mate, origin) if mate is not None else "")
        self._extra.append((tag, text, origin))
        self._keyed.setdefault(key, []).append(~(len(self._extra) - 1))

    def _add_mate(self, tag: str, mate: str, origin: str) -> str:
        """Take an 880 over under the next free link number; returns the $6 of its field."""
        self._occurrence += 1
        number = f"{self._occurrence:02}"
        script = marc.value(mate, "6")[6:]
        self._extra.append(("880", _linked(mate, f"{tag}-{number}{script}"), origin))
        return f"880-{number}"

    def _replace(self, where: int, text: str, origin: str | None) -> None:
        if where >= 0:
            tag = self._fields[where][0]
            self._fields[where] = (tag, text)
            self._origins[where] = origin or self._origins[where]
        else:
            tag, _, theirs = self._extra[~where]
            self._extra[~where] = (tag, text, origin or theirs)


def place(fields: Fields, tag: str) -> int:
    """Where a field with `tag` goes: after the last one with this tag or a lower one."""
    for at in range(len(fields) - 1, -1, -1):
        if fields[at][0] <= tag:
            return at + 1
    return 0


def agree(optional: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether two values with the same key say nothing against each other."""
    return optional == theirs or all(a == b or not a or not b for a, b in zip(optional, theirs, strict=True))


def is_private(text: str) -> bool:
    """An 856 whose every address is for one library's readers only."""
    links = marc.values(text, "u")
    return bool(links) and not any(addresses.public(link) for link in links)


def public(text: str) -> str:
    """An 856 without those of its addresses that are for one library's readers only."""
    links = marc.values(text, "u")
    if all(map(addresses.public, links)):
        return text
    pairs = marc.subfields(text)
    return marc.field(text[:2], [(code, value) for code, value in pairs if code != "u" or addresses.public(value)])


def key_of(rules: FormatPolicy, tag: str, text: str) -> tuple[Key, tuple[str, ...]]:
    """What makes a value the same as another: (family, parts that must be equal), (parts that one may lack)."""
    compare = rules.compares[tag]
    optional = dict.fromkeys(compare.optional, "")
    if text[2:3] != marc.DELIMITER:  # a control field
        return (compare.family, text), tuple(optional.values())
    parts = [compare.family]
    if compare.thesaurus:
        parts += [text[1:2] if rules.thesaurus_indicator else "", marc.value(text, "2")]
    given = len(parts)
    value_of = _VALUES.get(compare.family, _squeezed)
    for code, value in marc.subfields(text):
        if code in optional:
            optional[code] += fold.squeeze(value)
        elif code in compare.codes or (not compare.codes and code not in rules.ignore):
            parts.append(code + value_of(value))
    if len(parts) == given:
        parts.append(_linked(text, "")[2:] if _LINK in text else text[2:])  # only the very same text is the same value
    return tuple(parts), tuple(optional.values())


@lru_cache(maxsize=16384)
def _squeezed(value: str) -> str:
    return fold.squeeze(value) or value.strip()


def _number(value: str) -> str:
    """An ISBN of ten or of thirteen digits."""
    number = identifiers.isbn(value)
    return str(number) if number else _squeezed(value)


def _address(value: str) -> str:
    return value.strip().rstrip("/")


# By family; all other values are compared by their letters and digits.
_VALUES: dict[str, Callable[[str], str]] = {"010": _number, "020": _number, "035": _address, "856": _address}


def _filled(optional: tuple[str, ...]) -> int:
    return sum(map(bool, optional))


def _mates(fields: Fields) -> dict[str, str]:
    """880 fields by the link of the field that they belong to, "245-01" (MARC 21, Appendix A)."""
    return {link[:6]: text for tag, text in fields if tag == "880" and (link := marc.value(text, "6"))}


def _link(tag: str, text: str) -> str:
    """The link under which a field's 880 is known in its own record; "" if it has none."""
    link = marc.value(text, "6")
    return f"{tag}-{link[4:6]}" if link.startswith("880-") else ""


def _occurrence(text: str) -> int:
    number = marc.value(text, "6")[4:6]
    return int(number) if number.isascii() and number.isdigit() else 0


def _linked(text: str, link: str) -> str:
    """The field with this $6 (at the front, where the standard wants it) instead of its own; without one if empty."""
    pairs = [(code, value) for code, value in marc.subfields(text) if code != "6"]
    return marc.field(text[:2], ([("6", link)] if link else []) + pairs)
