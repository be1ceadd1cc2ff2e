"""What a sweep of sweeps.yaml consists of: its experiments, checked before any of them runs."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

from jsonschema import Draft202012Validator

from stages.common.command import InputError
from stages.common.params import check_params
from stages.common.yaml import load_yaml

SWEEPS = Path("sweeps/sweeps.yaml")
SEED = "train.seed"


@dataclass(frozen=True)
class Experiment:
    """One run of a sweep.

    Attributes:
        name: of the DVC experiment
        setting: how its parameters differ from params.yaml and what the sweep fixes, or `default`
        overrides: values by parameter: what the sweep fixes, what it tries, and the seed
    """

    name: str
    setting: str
    overrides: dict


def read_sweep(root: Path, name: str) -> dict:
    """Return a sweep of sweeps.yaml: stage, fixed, each, grid and seeds.

    Raises:
        InputError: the file is not as its schema says, has no such sweep, or the sweep has
            parameters that its stage does not have.
    """
    sweeps = load_yaml(root / SWEEPS)
    schema = json.loads((root / SWEEPS).with_suffix(".schema.json").read_text(encoding="utf-8"))
    for wrong in Draft202012Validator(schema).iter_errors(sweeps):
        place = "".join(f"{key}: " for key in wrong.absolute_path)
        raise InputError(f"{SWEEPS}: {place}{wrong.message}")
    if name not in sweeps:
        raise InputError(f"{SWEEPS}: expected one of {', '.join(sweeps)}, found no {name}")
    sweep = {"fixed": {}, "each": {}, "grid": {}} | sweeps[name]
    params = load_yaml(root / "dvc.yaml")["stages"][sweep["stage"]]["params"]
    known = [name for name in params if isinstance(name, str)]  # not the packages
    keys = [*sweep["fixed"], *(sweep["each"] | sweep["grid"])]
    for key in keys:
        if key not in known or key == SEED:
            raise InputError(
                f"{SWEEPS}: {name}: {key}: expected a parameter of {sweep['stage']}, one of"
                f" {', '.join(other for other in known if other != SEED)}"
            )
        if keys.count(key) > 1:
            raise InputError(f"{SWEEPS}: {name}: {key}: expected fixed or tried, found both")
    return sweep


def plan(name: str, sweep: dict, params: dict) -> list[Experiment]:
    """List the experiments of a sweep, those of params.yaml's own setting first.

    Args:
        sweep: as `read_sweep` returns it
        params: of params.yaml, `params[block][key]`

    Raises:
        InputError: a value has the wrong type or is out of range.
    """
    grid = sweep["grid"]
    tried = sweep["fixed"] | {key: value_of(params, key) for key in sweep["each"] | grid}
    settings = [
        {},
        *({key: value} for key, values in sweep["each"].items() for value in values),
        *(dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())),
    ]
    experiments = {}
    for setting in settings:
        words = [
            f"{key.split('.')[1]}={in_yaml(value)}"
            for key, value in setting.items()
            if value != tried[key]
        ]
        for seed in sweep["seeds"]:
            full_name = "-".join([name, *(words or ["default"]), f"seed={seed}"])
            overrides = tried | setting | {SEED: seed}
            check_params(with_values(params, overrides), f"{SWEEPS}: {name}")
            experiments[full_name] = Experiment(full_name, " ".join(words) or "default", overrides)
    return list(experiments.values())


def in_yaml(value: object) -> str:
    """Write a value as for `dvc exp run -S`."""
    return value if isinstance(value, str) else json.dumps(value)


def value_of(params: dict, name: str) -> object:
    """Return the value of a parameter named `block.key`."""
    block, key = name.split(".")
    return params[block][key]


def with_values(params: dict, values: dict) -> dict:
    """Return parameters with other values, which are named `block.key`."""
    changed = {block: dict(keys) for block, keys in params.items()}
    for name, value in values.items():
        block, key = name.split(".")
        changed[block][key] = value
    return changed
