"""How the report writes numbers and lists."""


def percent(fraction: float, digits: int = 2) -> str:
    """Write a fraction (0-1) in per cent."""
    return f"{100 * fraction:.{digits}f}%"


def duration(seconds: float) -> str:
    """Write seconds as people say them."""
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def counted(n: int, noun: str) -> str:
    """Write a number of things, `1 epoch` or `2 epochs`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def list_in_words(words: list[str]) -> str:
    """Join words by commas and a last `and`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def p_value(p: float) -> str:
    """Write a p-value, which may be too small for a floating-point number."""
    return "p < 1e-300" if p < 1e-300 else f"p = {p:.2g}" if p >= 0.01 else f"p = {p:.1g}"
