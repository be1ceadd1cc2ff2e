"""The stages, chapter by chapter: data -> networks -> encoding -> meaning -> hand_in.

A chapter imports from those before it and from `common`. From here on Ctrl-C ends a process with
one line in place of a traceback, also while libraries are being loaded.
"""

import sys
from pathlib import Path
from types import TracebackType


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one line that Ctrl-C has stopped the program; leave all else to Python."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    program = Path(sys.argv[0])
    is_stage = program.parent.parent.name == "stages"
    again = "; `dvc repro` starts this stage again" if is_stage else ""
    print(f"{program.stem}: stopped{again}", file=sys.stderr)


sys.excepthook = _end
