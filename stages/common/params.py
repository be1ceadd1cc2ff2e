"""Reading params.yaml, checked as a whole against params.schema.json before any work starts.

The schema is data, not code: editors read it too, and a new parameter of one stage does not
change the code, and so the results, of another.
"""

import json
import math
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from stages.common.command import InputError
from stages.common.yaml import load_yaml

SCHEMA = Path(__file__).with_name("params.schema.json")


def read_params(path: Path = Path("params.yaml")) -> dict:
    """Return the parameters as nested dicts: `params[block][key]`.

    Raises:
        InputError: the file is not YAML, or as `check_params` does.
    """
    if not path.exists():
        raise InputError(f"{path}: expected here, found no such file: run from the project's root")
    return check_params(load_yaml(path), str(path))


def check_params(params: Any, place: str) -> dict:
    """Return parameters that the schema allows.

    Args:
        place: where they stand, for the message

    Raises:
        InputError: a key is unknown or missing, or has an old name, or a value has the wrong type
            or is out of range. The message names place and key.
    """
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for block, keys in params.items() if isinstance(params, dict) else ():
        renamed = schema["properties"].get(block, {}).get("renamed", {})
        for key in renamed.keys() & set(keys if isinstance(keys, dict) else ()):
            raise InputError(f"{place}: {block}.{key} is called {renamed[key]} now: rename it")
    errors = _validator(schema).iter_errors(params)
    for error in sorted(errors, key=lambda error: list(map(str, error.absolute_path))):
        key = ".".join(str(part) for part in error.absolute_path)
        meaning = error.schema.get("description")
        raise InputError(
            f"{place}: {key + ': ' if key else ''}{error.message}"
            + (f" ({key} is {meaning})" if meaning and key else "")
        )
    return params


def _validator(schema: dict) -> Draft202012Validator:
    """JSON Schema's rules, but 3.0 is no integer, and numbers are finite."""

    def is_integer(_: object, value: object) -> bool:
        return type(value) is int  # bool is a subclass of int

    def is_number(_: object, value: object) -> bool:
        return is_integer(_, value) or (type(value) is float and math.isfinite(value))

    checker = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": is_integer, "number": is_number}
    )
    return extend(Draft202012Validator, type_checker=checker)(schema)
