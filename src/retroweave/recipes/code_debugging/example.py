"""Functions of our own, under CC0-1.0, on which the recipe can be tried in seconds."""


def longest_climb(heights: list[int]) -> list[int]:
    """The longest stretch of heights of which each is above the one before; of equal ones the first."""
    best: list[int] = []
    climb: list[int] = []
    for height in heights:
        if climb and height <= climb[-1]:
            climb = []
        climb.append(height)
        if len(climb) > len(best):
            best = list(climb)
    return best


def clock(minutes: int) -> str:
    """Minutes since midnight as a clock on the wall shows them."""
    if minutes < 0:
        raise ValueError("the clock does not go back")
    hours, rest = divmod(minutes, 60)
    half = "am" if hours % 24 < 12 else "pm"
    shown = hours % 12
    if shown == 0:
        shown = 12
    return f"{shown}:{rest:02} {half}"


def initials(name: str, most: int = 3) -> str:
    """The first letters of a name's parts, each with a full stop."""
    parts = name.replace("-", " ").split()
    # "van" and "de" are written small, and are not counted.
    letters = [part[0] for part in parts if part[0].isupper()]
    if not letters:
        return ""
    return ".".join(letters[:most]) + "."


def shared(first: list[str], second: list[str]) -> dict[str, int]:
    """How often each word that both lists hold stands in the two of them together."""
    counts: dict[str, int] = {}
    for word in first + second:
        counts[word] = counts.get(word, 0) + 1
    return {word: count for word, count in sorted(counts.items()) if word in first and word in second}


def change(amount: int, coins: list[int]) -> list[int]:
    """Pay an amount with the largest coins first; what is left over is the last item."""
    paid = []
    for coin in sorted(set(coins), reverse=True):
        if coin <= 0:
            continue
        while amount >= coin:
            paid.append(coin)
            amount -= coin
    paid.append(amount)
    return paid


def _padded(row: list[str], width: int) -> list[str]:
    return row + [""] * (width - len(row))


def columns(rows: list[list[str]], gap: int = 2) -> list[str]:
    """Rows of cells as lines in which the cells stand below each other."""
    if not rows:
        return []
    width = max(len(row) for row in rows)
    full = [_padded(row, width) for row in rows]
    sizes = [max(len(row[place]) for row in full) for place in range(width)]
    lines = []
    for row in full:
        cells = [cell.ljust(size) for cell, size in zip(row, sizes, strict=True)]
        lines.append((" " * gap).join(cells).rstrip())
    return lines
