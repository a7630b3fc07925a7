"""Makes the sample bundled with the node: `python -m bench.generator.sample [--out node/demo/sample]`.

Three invented libraries: a university in CALIS habits (GB18030), a city library in NLC habits (UTF-8), an academy in
MARC21 with romanisation and 880. Each holds well-known works (`tables/famous.toml`), so that searching 红楼梦 shows
holdings of several, and some hundreds of invented books. `shared.tsv` names the records of every well-known work that
more than one of them holds, a line a work: the demonstration proves that the centre has each of them as one title.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from bench.generator import corpus, famous, habits, writing
from bench.generator.corpus import Shelf
from bench.generator.draw import Draw
from bench.generator.habits import Habit, Member

SEED = 20240601
RECORDS = 1200  # invented ones, all libraries together
FOLDER = Path(__file__).resolve().parents[2] / "node" / "demo" / "sample"


def libraries() -> dict[str, Member]:
    """The three libraries by their letter in the table of famous works."""
    by_name = {habit.name: habit for habit in habits.load()}

    def member(symbol: str, name: str, name_en: str, area: str, habit: Habit) -> Member:
        tame = replace(habit, repeat=0.0, delete=0.0, no_id=0.0)
        slug = name_en.split()[0].lower()
        suffix = ".iso" if habit.format == "cnmarc" else ".mrc"
        return Member(
            symbol=symbol, name=name, name_en=name_en, area=area, source=slug, file=f"{slug}{suffix}", habit=tame
        )

    return {
        "A": member("CN-LJU", "临江大学图书馆", "Linjiang University Library", "江南/临江", by_name["calis"]),
        "B": member("CN-HZL", "海州市图书馆", "Haizhou City Library", "江南/海州", by_name["nlc"]),
        "C": member("CN-YLA", "雲麓書院圖書館", "Yunlu Academy Library", "江南/临江", by_name["romanised"]),
    }


def files() -> dict[str, bytes]:
    """Every file of the sample by name; the same bytes each time."""
    cast = libraries()
    draw = Draw(SEED)
    bodies = {letter: [writing.HEAD[member.habit.carrier]] for letter, member in cast.items()}
    shelves = {letter: Shelf(member) for letter, member in cast.items()}
    shared = []
    for holders, book in famous.load():
        written = [shelves[letter].catalogue(draw, book) for letter in holders]
        for letter, each in zip(holders, written, strict=True):
            bodies[letter].append(each.body)
        if len(holders) > 1:
            shared.append("\t".join(f"{each.member.source}/{each.local_id}" for each in written))
    letters = {member.symbol: letter for letter, member in cast.items()}
    for one in corpus.records(draw, list(shelves.values()), RECORDS):
        bodies[letters[one.member.symbol]].append(one.body)
    made = {
        cast[letter].file: b"".join(parts) + writing.FOOT[cast[letter].habit.carrier]
        for letter, parts in bodies.items()
    }
    made["libraries.toml"] = habits.directory(list(cast.values())).encode()
    made["shared.tsv"] = "\n".join([*shared, ""]).encode()
    return made


def main() -> int:
    """Write the sample."""
    parser = argparse.ArgumentParser(prog="python -m bench.generator.sample", description="Make the bundled sample.")
    parser.add_argument("--out", type=Path, default=FOLDER)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, body in files().items():
        (out / name).write_bytes(body)
        print(f"{out / name}: {len(body)} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
