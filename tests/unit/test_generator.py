"""The generator repeats itself exactly, and its truth fits its files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path

import pymarc
import pytest

from bench.generator import corpus, habits, numbers, variation, vocabulary, writing
from bench.generator.book import Book, Volume
from bench.generator.draw import Draw, Wheel
from bench.generator.maker import Maker
from bench.generator.works import FAMILIES

# Of 1,000 records with seed 7: changes only with the generator, never with the Python that runs it.
DIGEST_OF_SEED_7 = "4fcb82cdfd17e612c807c18a05fccd22f9afdb2dc85f78342026833df7f1ce1a"


@pytest.fixture(scope="module", params=[corpus.PART, 1500], ids=["one part", "three parts"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "PART", request.param)
        corpus.generate(out, count=4000, seed=3, libraries=10)
    return out


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()


def truth(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "truth.ndjson").read_text().splitlines()]


def records(folder: Path, member: habits.Member) -> list[tuple[str, str]]:
    """(leader, 001 or empty) of every record in a member's file."""
    body = (folder / member.file).read_bytes()
    if member.habit.carrier == "marcjson":
        rows = [json.loads(line) for line in body.splitlines()]
        return [(row["leader"], row["fields"][0].get("001", "")) for row in rows]
    if member.habit.carrier == "marcxml":
        found = pymarc.parse_xml_to_array(str(folder / member.file))  # type: ignore[no-untyped-call]
        return [(str(one.leader), one["001"].data if "001" in one else "") for one in found if one]
    made = []
    for one in body.split(b"\x1d")[:-1]:
        fields = one[one.index(b"\x1e") + 1 :].split(b"\x1e")
        made.append((one[:24].decode(), fields[0].decode() if one[24:27] == b"001" else ""))
    return made


def test_same_seed_gives_same_bytes(tmp_path: Path) -> None:
    corpus.generate(tmp_path, count=1000, seed=7, libraries=10)
    assert digest(tmp_path) == DIGEST_OF_SEED_7


def test_parts_give_the_same_bytes_whoever_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "PART", 200)
    made = []
    for cores in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        corpus.generate(tmp_path / str(cores), count=700, seed=7, libraries=10)
        made.append(digest(tmp_path / str(cores)))
    assert made[0] == made[1]


def test_other_seed_gives_other_books(tmp_path: Path) -> None:
    corpus.generate(tmp_path, count=300, seed=8, libraries=10)
    assert digest(tmp_path) != DIGEST_OF_SEED_7


def test_truth_names_exactly_the_records_that_live(made: Path) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for row in truth(made):
        assert row["local_id"] not in told[row["source"]], "the truth tells each record once"
        told[row["source"]].add(row["local_id"])
    for member in habits.members(10):
        alive: set[str] = set()
        for leader, local_id in records(made, member):
            if leader[5] == "d":
                alive.discard(local_id)
            elif local_id:
                alive.add(local_id)
        assert {one for one in told[member.source] if not one.startswith("sha256:")} == alive


def test_traps_are_there(made: Path) -> None:
    seen = Counter(leader[5] for member in habits.members(10) for leader, _ in records(made, member))
    assert seen["d"] > 0
    nameless = [row for row in truth(made) if row["local_id"].startswith("sha256:")]
    assert nameless
    sizes = Counter(row["manifestation"] for row in truth(made))
    assert max(sizes.values()) > 3
    small = next(member for member in habits.members(10) if member.habit.repeat > 0.005)
    ids = Counter(local_id for _, local_id in records(made, small) if local_id)
    assert max(ids.values()) == 2


def test_lengths_in_leader_and_directory_are_true(made: Path) -> None:
    for member in habits.members(10):
        if member.habit.carrier != "iso2709":
            continue
        for one in (made / member.file).read_bytes().split(b"\x1d")[:-1]:
            assert int(one[:5]) == len(one) + 1
            base = int(one[12:17])
            for start in range(24, base - 1, 12):
                length, offset = int(one[start + 3 : start + 7]), int(one[start + 7 : start + 12])
                assert one[base + offset + length - 1] == 0x1E
                assert b"\x1e" not in one[base + offset : base + offset + length - 1]


def test_records_weigh_what_real_ones_do(made: Path) -> None:
    size = sum((made / member.file).stat().st_size for member in habits.members(10))
    assert 900 < size / 4000 < 1300


def test_every_isbn_has_a_valid_check_digit() -> None:
    maker = Maker(Draw(5))
    isbns = [isbn for _ in range(400) for book in FAMILIES.spin(maker.draw)(maker) for isbn in book.isbns]
    for isbn in isbns:
        digits = isbn.replace("-", "")
        assert len(digits) == 13
        assert sum(int(d) * (3 if place % 2 else 1) for place, d in enumerate(digits)) % 10 == 0
        ten = numbers.isbn10(isbn).replace("-", "")
        weights = zip(ten, range(10, 0, -1), strict=True)
        assert sum((10 if d == "X" else int(d)) * weight for d, weight in weights) % 11 == 0


def test_known_isbn_and_issn_check_digits() -> None:
    assert numbers.isbn13("7-02", 220) == "978-7-02-000220-7"
    assert numbers.isbn10("978-7-02-000220-7") == "7-02-000220-X"
    assert numbers.issn(0) == "1000-0003"


def test_volume_forms_keep_the_number() -> None:
    draw = Draw(1)
    volume = Volume(number=12, of=20, unit="卷")
    forms = {numbers.another_designation(draw, volume) for _ in range(200)}
    assert {"第十二卷", "第12卷", "卷十二", "XII", "12", "十二", "v.12"} <= forms
    assert numbers.designation(Volume(number=2, of=3, unit="册", sided=True)) == "中册"


def test_families_keep_manifestations_apart() -> None:
    maker = Maker(Draw(11))
    books = [book for _ in range(500) for book in FAMILIES.spin(maker.draw)(maker)]
    assert len({book.truth for book in books}) == len(books)


def test_variation_never_changes_what_tells_manifestations_apart() -> None:
    draw = Draw(2)
    maker = Maker(draw)
    for _ in range(300):
        for book in FAMILIES.spin(draw)(maker):
            seen = variation.vary(draw, book)
            assert (seen.truth, seen.kind, seen.medium, seen.edition) == (
                book.truth,
                book.kind,
                book.medium,
                book.edition,
            )
            assert bool(seen.designation) == bool(book.designation)


def test_marc8_puts_marks_before_letters() -> None:
    assert writing.marc8("Müller Café") == b"M\xe8uller Caf\xe2e"
    assert writing.marc8("plain") == b"plain"


def test_wheel_respects_weights() -> None:
    wheel = Wheel([(90, "often"), (10, "rarely")])
    draw = Draw(1)
    drawn = Counter(wheel.spin(draw) for _ in range(2000))
    assert 1700 < drawn["often"] < 1900


def test_vocabulary_is_large_and_complete() -> None:
    words = vocabulary.load()
    assert words.size() >= 1500
    for subject in words.subjects:
        assert subject.letters and subject.heading_en and len(subject.words) >= 10 and len(subject.words_en) >= 5


def test_book_is_chinese_by_language() -> None:
    maker = Maker(Draw(1))
    book: Book = maker.book()
    assert book.chinese and not maker.western_book().chinese
