"""Functions of a harbour office, written for this example."""


def floods(levels: list[int], mark: int) -> int:
    """How many of the water levels of a day stand above the mark."""
    count = 0
    for level in levels:
        if level > mark:
            count += 1
    return count


def flood_starts(levels: list[int], mark: int) -> int:
    """How many times the water levels of a day rise above the mark."""
    count = 0
    was_above = False
    for level in levels:
        if level > mark and not was_above:
            count += 1
        was_above = level > mark
    return count


def flood_height(levels: list[int], mark: int) -> int:
    """By how much the water levels of a day stand above the mark, all together."""
    height = 0
    for level in levels:
        if level > mark:
            height += level - mark
    return height


def longest_flood(levels: list[int], mark: int) -> int:
    """How many of the water levels of a day stand above the mark without a break, at most."""
    longest = count = 0
    for level in levels:
        if level > mark:
            count += 1
            longest = max(longest, count)
        else:
            count = 0
    return longest


def first_flood(levels: list[int], mark: int) -> int:
    """Which of the water levels of a day is the first above the mark, counted from 0, or -1 where none is."""
    for place, level in enumerate(levels):
        if level > mark:
            return place
    return -1


def last_flood(levels: list[int], mark: int) -> int:
    """Which of the water levels of a day is the last above the mark, counted from 0, or -1 where none is."""
    found = -1
    for place, level in enumerate(levels):
        if level > mark:
            found = place
    return found
