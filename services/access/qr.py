"""QR codes as pictures: ISO/IEC 18004 in byte mode with error correction L, versions 1 to 20 (pure).

Only as much of the standard as an address on a screen needs: no other modes, no other levels, no kanji.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

QUIET = 4  # modules around the symbol that stay empty (5.3.8)
# By version, from table 9: codewords of error correction in a block, and blocks.
CORRECTION = (7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28)
BLOCKS = (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8)
LEVEL_L = 0b01
FORMAT_GENERATOR, FORMAT_MASK, VERSION_GENERATOR = 0x537, 0x5412, 0x1F25  # annexes C and D
FIELD = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1, over which the codewords are corrected (annex A)
MASKS: tuple[Callable[[int, int], bool], ...] = (  # table 10; row, column
    lambda r, c: (r + c) % 2 == 0,
    lambda r, _: r % 2 == 0,
    lambda _, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)
FINDER_LIKE = ((1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0), (0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1))

Grid = list[list[int]]  # rows of modules: 1 dark, 0 light


def svg(text: str) -> bytes:
    """A picture of the text, drawn without any style so that no policy forbids it. ValueError if it is too long."""
    modules = matrix(text.encode())
    size = len(modules) + 2 * QUIET
    dark = "".join(
        f"M{c + QUIET} {r + QUIET}h1v1h-1z" for r, row in enumerate(modules) for c, module in enumerate(row) if module
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{dark}" fill="#000"/></svg>'
    ).encode()


def matrix(data: bytes) -> Grid:
    """The symbol of the smallest version that holds the data, in the mask that reads best (7.8.3)."""
    version = next((each for each in range(1, len(BLOCKS) + 1) if _room(each) >= _bits(each, len(data))), None)
    if version is None:
        raise ValueError(f"{len(data)} bytes are too many for a QR code")
    grid, taken = _frame(version)
    _place(grid, taken, _corrected(version, _codewords(version, data)))
    candidates = [_masked(grid, taken, number, version) for number in range(len(MASKS))]
    return min(candidates, key=_penalty)


def _size(version: int) -> int:
    return 17 + 4 * version


def _bits(version: int, length: int) -> int:
    return 4 + (8 if version < 10 else 16) + 8 * length


def _all_codewords(version: int) -> int:
    """Codewords of a symbol: what its modules hold without the patterns (table 1)."""
    _, taken = _frame(version)
    return sum(not each for row in taken for each in row) // 8


def _room(version: int) -> int:
    return 8 * (_all_codewords(version) - CORRECTION[version - 1] * BLOCKS[version - 1])


def _codewords(version: int, data: bytes) -> list[int]:
    """Mode, length, data, end and padding (7.4)."""
    room = _room(version)
    number, length = 0b0100, 4
    for value, width in ((len(data), 8 if version < 10 else 16), *((byte, 8) for byte in data)):
        number, length = number << width | value, length + width
    end = min(4, room - length)
    number, length = number << end, length + end
    number, length = number << -length % 8, length + -length % 8
    found = list(number.to_bytes(length // 8, "big"))
    padding = (0xEC, 0x11)
    return found + [padding[n % 2] for n in range(room // 8 - len(found))]


def _corrected(version: int, data: Sequence[int]) -> list[int]:
    """The data in blocks with their corrections, interleaved (7.5, 7.6)."""
    blocks, size = BLOCKS[version - 1], CORRECTION[version - 1]
    short, longer = divmod(len(data), blocks)
    generator = _generator(size)
    parts, corrections, start = [], [], 0
    for n in range(blocks):
        end = start + short + (n >= blocks - longer)
        parts.append(data[start:end])
        corrections.append(_remainder(data[start:end], generator))
        start = end
    found = [part[n] for n in range(short + 1) for part in parts if n < len(part)]
    return found + [each[n] for n in range(size) for each in corrections]


def _times(one: int, other: int) -> int:
    found = 0
    for bit in range(7, -1, -1):
        found = found << 1 ^ (found >> 7) * FIELD
        found ^= (other >> bit & 1) * one
    return found


def _generator(size: int) -> list[int]:
    """Coefficients below the highest of the product of all (x - 2^n)."""
    found, root = [0] * (size - 1) + [1], 1
    for _ in range(size):
        for n in range(size):
            found[n] = _times(found[n], root) ^ (found[n + 1] if n + 1 < size else 0)
        root = _times(root, 2)
    return found


def _remainder(data: Sequence[int], generator: Sequence[int]) -> list[int]:
    found = [0] * len(generator)
    for byte in data:
        factor = byte ^ found[0]
        found = [each ^ _times(part, factor) for each, part in zip([*found[1:], 0], generator, strict=True)]
    return found


def _frame(version: int) -> tuple[Grid, Grid]:
    """An empty symbol with its patterns, and which modules they take (6.3)."""
    size = _size(version)
    grid = [[0] * size for _ in range(size)]
    taken = [[0] * size for _ in range(size)]

    def put(row: int, column: int, dark: bool) -> None:
        if 0 <= row < size and 0 <= column < size:
            grid[row][column], taken[row][column] = int(dark), 1

    for n in range(size):
        put(6, n, n % 2 == 0)
        put(n, 6, n % 2 == 0)
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        for r in range(-4, 5):
            for c in range(-4, 5):
                put(row + r, column + c, max(abs(r), abs(c)) not in (2, 4))
    at = _alignment(version)
    for row in at:
        for column in at:
            if (row, column) not in ((6, 6), (6, at[-1]), (at[-1], 6)):
                for r in range(-2, 3):
                    for c in range(-2, 3):
                        put(row + r, column + c, max(abs(r), abs(c)) != 1)
    for row, column in _format_places(size):
        put(row, column, dark=False)
    put(size - 8, 8, dark=True)
    for n, dark in enumerate(_version_bits(version)):
        put(n // 3, size - 11 + n % 3, dark)
        put(size - 11 + n % 3, n // 3, dark)
    return grid, taken


def _alignment(version: int) -> list[int]:
    """Where the alignment patterns are centred (annex E)."""
    if version == 1:
        return []
    count = version // 7 + 2
    step = (version * 8 + count * 3 + 5) // (count * 4 - 4) * 2
    last = _size(version) - 7
    return [6, *sorted(last - n * step for n in range(count - 1))]


def _format_places(size: int) -> list[tuple[int, int]]:
    """Both places of the 15 bits of format, the highest bit first (figure 25)."""
    around = [(8, n) for n in (0, 1, 2, 3, 4, 5, 7, 8)] + [(n, 8) for n in (7, 5, 4, 3, 2, 1, 0)]
    apart = [(size - 1 - n, 8) for n in range(7)] + [(8, size - 8 + n) for n in range(8)]
    return around + apart


def _version_bits(version: int) -> list[bool]:
    """From version 7 on 18 bits, the lowest first."""
    if version < 7:
        return []
    value = version << 12 | _rest(version << 12, VERSION_GENERATOR)
    return [bool(value >> n & 1) for n in range(18)]


def _rest(value: int, generator: int) -> int:
    """What dividing leaves, over two."""
    while value.bit_length() >= generator.bit_length():
        value ^= generator << value.bit_length() - generator.bit_length()
    return value


def _place(grid: Grid, taken: Grid, codewords: Sequence[int]) -> None:
    """The codewords, in columns of two from the right, up and down (7.7.3)."""
    size = len(grid)
    bits = [byte >> n & 1 for byte in codewords for n in range(7, -1, -1)]
    way = (
        (row, column)
        for turn, right in enumerate((*range(size - 1, 6, -2), 5, 3, 1))
        for row in (range(size - 1, -1, -1) if turn % 2 == 0 else range(size))
        for column in (right, right - 1)
    )
    free = ((row, column) for row, column in way if not taken[row][column])
    for (row, column), bit in zip(free, bits, strict=False):  # a few modules may be left over
        grid[row][column] = bit


def _masked(grid: Grid, taken: Grid, number: int, version: int) -> Grid:
    """With a mask over all that isn't a pattern, and the format that names it (7.8, 7.9)."""
    mask = MASKS[number]
    found = [[module ^ (not taken[r][c] and mask(r, c)) for c, module in enumerate(row)] for r, row in enumerate(grid)]
    told = (LEVEL_L << 3 | number) << 10
    told = (told | _rest(told, FORMAT_GENERATOR)) ^ FORMAT_MASK
    for n, (row, column) in enumerate(_format_places(_size(version))):
        found[row][column] = told >> 14 - n % 15 & 1
    return found


def _penalty(grid: Grid) -> int:
    """How badly it reads: runs, blocks, what looks like a finder, imbalance (table 11)."""
    size = len(grid)
    found = 0
    for line in (*grid, *map(list, zip(*grid, strict=True))):
        run = 1
        for n in range(1, size + 1):
            if n < size and line[n] == line[n - 1]:
                run += 1
            else:
                found += run - 2 if run >= 5 else 0
                run = 1
        found += 40 * sum(tuple(line[n : n + 11]) in FINDER_LIKE for n in range(size - 10))
    for r in range(size - 1):
        for c in range(size - 1):
            found += 3 * (grid[r][c] == grid[r][c + 1] == grid[r + 1][c] == grid[r + 1][c + 1])
    dark = sum(map(sum, grid))
    return found + 10 * int(abs(dark * 20 - size * size * 10) / (size * size))
