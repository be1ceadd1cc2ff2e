"""Mean differences over paired runs, with Student's intervals, and how they are written."""

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95  # of the intervals


def estimate(differences: pd.Series) -> dict:
    """Return the mean of differences, one a seed, its interval and what that says, in words."""
    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return {"difference": mean, "low": None, "high": None, "seeds": n, "words": "unknown"}
    reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * differences.std() / np.sqrt(n))
    low, high = mean - reach, mean + reach
    words = "better" if low > 0 else "worse" if high < 0 else "indistinguishable"
    return {"difference": mean, "low": low, "high": high, "seeds": n, "words": words}


def in_points(row: dict) -> str:
    """Write a difference of `estimate` and its interval in percentage points."""
    text = f"{100 * row['difference']:+.2f}"
    if row["low"] is None:
        return text
    return f"{text} ({100 * row['low']:+.2f} to {100 * row['high']:+.2f})"
