"""The command line of every stage: paths in; on bad input one clear line and exit status 1.

Ctrl-C is one line, too, from the first import on: see stages/__init__.py.
"""

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path


class InputError(ValueError):
    """Bad input. The message names the file, what was expected and what was found."""


def run(main: Callable[..., None]) -> None:
    """Call `main` with the command line's arguments as paths.

    An `InputError`, or a file that cannot be read or written, ends the process with one line on
    standard error and exit status 1. Any other exception is a bug and keeps its traceback.
    """
    stage = Path(sys.argv[0]).stem
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever a terminal can show
    try:
        main(*map(Path, sys.argv[1:]))
    except FileNotFoundError as error:
        sys.exit(f"{stage}: {error.filename} is missing: `dvc repro {stage}` makes what it needs")
    except (InputError, OSError) as error:
        sys.exit(f"{stage}: {error}{_way_back()}")


def _way_back() -> str:
    """Say how to have earlier results again if DVC, which removes them first, runs this stage."""
    if "DVC_STAGE" not in os.environ:
        return ""
    return " (earlier results: `git checkout metrics plots report`, `dvc checkout`)"
