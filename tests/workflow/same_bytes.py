"""Which files of two runs differ."""


def differing(first: dict[str, bytes], second: dict[str, bytes]) -> list[str]:
    return sorted(
        path for path in first.keys() | second.keys() if first.get(path) != second.get(path)
    )
