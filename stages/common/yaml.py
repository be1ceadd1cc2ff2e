"""Reading YAML by the rules of YAML 1.2, as DVC reads and writes it; PyYAML alone knows 1.1.

By 1.1 `1e-05`, which DVC writes for `-S train.lr=1e-5`, is text, `yes` is true and `010` is 8.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from stages.common.command import InputError

KEPT = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "timestamp", "merge")}
PATTERNS = {  # first characters, and the whole
    "bool": ("tTfF", r"true|True|TRUE|false|False|FALSE"),
    "int": ("-+0123456789", r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)"),
    "float": (
        "-+.0123456789",
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
    ),
}


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's scalars; a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := [key for key, n in keys.items() if n > 1 and key != "<<"]:
            raise yaml.MarkedYAMLError(problem=f"{twice[0]} stands twice")
        return super().construct_mapping(node, deep)

    def construct_int(self, node: yaml.ScalarNode) -> int:
        text = node.value.replace("_", "")
        return int(text, 0 if re.match("[-+]?0[box]", text) else 10)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for kind, (first, pattern) in PATTERNS.items():
    tag = f"tag:yaml.org,2002:{kind}"
    Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(first))
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_int)


def parse_yaml(text: str | bytes) -> Any:
    """Return what a text of YAML 1.2 holds.

    Raises:
        ValueError: it is no YAML; the message is one line.
    """
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from error


def load_yaml(path: Path) -> Any:
    """Return what a file of YAML 1.2 holds.

    Raises:
        InputError: it is no YAML.
    """
    try:
        return parse_yaml(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: expected YAML, found something else: {error}") from error
