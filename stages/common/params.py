"""Reading params.yaml, checked as a whole against params.schema.json before any work starts.

The schema is data, not code: editors read it too, and a new parameter of one stage does not
change the code, and so the results, of another.
"""

import json
import math
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.common.command import InputError

SCHEMA = Path(__file__).with_name("params.schema.json")


def read_params(path: Path = Path("params.yaml")) -> dict:
    """Return the parameters as nested dicts: `params[block][key]`.

    Raises:
        InputError: the file is not YAML, or a key is unknown or missing, or a value has the
            wrong type or is out of range. The message names file and key.
    """
    if not path.exists():
        raise InputError(f"{path}: expected here, found no such file: run from the project's root")
    try:
        params = YAML(typ="safe").load(path)
    except (YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected YAML, found something else: {reason}") from error
    errors = sorted(_validator().iter_errors(params), key=lambda error: list(error.absolute_path))
    if errors:
        key = ".".join(str(part) for part in errors[0].absolute_path)
        meaning = errors[0].schema.get("description")
        raise InputError(
            f"{path}: {key + ': ' if key else ''}{errors[0].message}"
            + (f" ({key} is {meaning})" if meaning and key else "")
        )
    return params


def _validator() -> Draft202012Validator:
    """JSON Schema's rules, but 3.0 is no integer, and numbers are finite."""

    def is_integer(_: object, value: object) -> bool:
        return type(value) is int  # bool is a subclass of int

    def is_number(_: object, value: object) -> bool:
        return is_integer(_, value) or (type(value) is float and math.isfinite(value))

    checker = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": is_integer, "number": is_number}
    )
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return extend(Draft202012Validator, type_checker=checker)(schema)
