"""Facts: what any format must tell us about a record, as transcribed, so that matching knows no tags.

Texts are as the cataloguer wrote them (ISBD marks at a field's end removed); folding and reading numbers out of them is
matching's work. Every part may be empty: an absent fact is no evidence. Identifiers are already read, because each
format spells them in its own way.
"""

from __future__ import annotations

import msgspec

# Record classes. Authorities and holdings are no bibliographic records and are never matched.
MONOGRAPH, SERIAL, COMPONENT, COLLECTION = "monograph", "serial", "component", "collection"
AUTHORITY, HOLDINGS = "authority", "holdings"

# Media of the thing described; the empty string is print, or nothing said.
ELECTRONIC, MICROFORM, AUDIO, VIDEO, MAP, SCORE, PICTURE, KIT, OBJECT = (
    "electronic", "microform", "audio", "video", "map", "score", "picture", "kit", "object",
)  # fmt: skip

BODY = "body"  # the role of a corporate body or meeting


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record's facts; a struct because one is made of every record.

    Names are `(name, role)`; the role is the cataloguer's word or relator, often empty.
    """

    record_class: str = MONOGRAPH
    level: str = ""  # place in a hierarchy by the leader: "set", "volume" or unknown
    titles: tuple[str, ...] = ()  # titles proper; several where there is no collective title
    supplied_title: bool = False  # there is no title proper: the title is a uniform, key or other title
    subtitle: str = ""
    parallel: tuple[str, ...] = ()  # titles in other languages
    romanised: str = ""  # the title in Latin script beside one in another script: pinyin, or 245 beside its 880
    volumes: tuple[str, ...] = ()  # designations as transcribed, outermost first: "第三卷", "v. 2"
    parts: tuple[str, ...] = ()  # titles of parts, outermost first
    own_series_volume: str = ""  # volume in a set whose title is this record's own title
    series: tuple[str, ...] = ()  # titles of the series, set or host it belongs to
    set_evidence: bool = False  # links down to volumes, or an ISBN "of the set"
    set_size: int = 0  # volumes of the set, where an ISBN's qualifier counts them (全三册)
    edition: str = ""
    dates: tuple[str, ...] = ()  # publication dates as transcribed
    coded_years: tuple[int, ...] = ()  # publication years in coded data, the main one first
    extent: str = ""
    publishers: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    authors: tuple[tuple[str, str], ...] = ()  # primary responsibility, the first one first
    contributors: tuple[tuple[str, str], ...] = ()  # secondary responsibility: translators, annotators, editors …
    responsibility: tuple[str, ...] = ()  # statements as transcribed: "(清)李汝珍著", "by Charles Dickens"
    media: str = ""
    language: str = ""  # ISO 639-2
    translated: bool = False
    isbns: tuple[int, ...] = ()  # valid ISBN-13s of this very thing
    set_isbns: tuple[int, ...] = ()  # those of `isbns` said to be of a whole set
    weak_isbns: tuple[int, ...] = ()  # cancelled, or of another form of the work
    invalid_isbns: tuple[str, ...] = ()  # as transcribed
    bindings: tuple[tuple[int, str], ...] = ()  # (ISBN, "hard" or "soft") where said
    unified_numbers: tuple[str, ...] = ()  # 统一书号, "10019·2211" written "10019.2211"
    issns: tuple[str, ...] = ()
    cn_numbers: tuple[str, ...] = ()  # 国内统一刊号, "11-2345/K" written "11-2345"
    dois: tuple[str, ...] = ()
    control_numbers: tuple[str, ...] = ()  # of agencies whose numbers name one edition, e.g. "oclc:41003201"
    host: str = ""  # title of the host of a component part
    host_place: str = ""  # where in the host: volume, issue, pages
    notes: tuple[str, ...] = ()  # notes on edition, binding and making that may tell ancient books and reproductions
    manuscript: bool = False  # the leader says so
    ancient_coded: bool = False  # coded data or the material designation say: ancient book
    large_print: bool = False
    braille: bool = False

    @property
    def bibliographic(self) -> bool:
        """Whether the record describes a resource at all."""
        return self.record_class not in (AUTHORITY, HOLDINGS)
