"""The command line of every stage: paths in; on bad input one clear line and exit status 1."""

import sys
from collections.abc import Callable
from pathlib import Path


class InputError(ValueError):
    """Bad input. The message names the file, what was expected and what was found."""


def run(main: Callable[..., None]) -> None:
    """Call `main` with the command line's arguments as paths.

    An `InputError`, or a file that cannot be read or written, ends the process with one line on
    standard error and exit status 1. Any other exception is a bug and keeps its traceback.
    """
    stage = Path(sys.argv[0]).stem
    try:
        main(*map(Path, sys.argv[1:]))
    except InputError as error:
        sys.exit(f"{stage}: {error}")
    except FileNotFoundError as error:
        sys.exit(f"{stage}: {error.filename} is missing: `dvc repro {stage}` makes what it needs")
    except OSError as error:
        sys.exit(f"{stage}: {error}")
