"""Record what the results were made with: Python, packages, processor, precision and threads.

Reads   pyproject.toml, both networks (.keras)
Does    looks up the versions that are installed, and the precision of the networks
Writes  all of it (JSON); it runs again with every new network, on the machine that made it

python              version
packages            versions of what the project uses at run time
system, machine     such as Linux and x86_64
instructions        of the processor, those that speed arithmetic up (Linux alone)
gpus                names of NVIDIA's that are at hand
precision           Keras' dtype policy of each network
threads             that share a training step here
"""

import json
import platform
import re
import subprocess
import tomllib
import zipfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from joblib import cpu_count

from stages.common.command import run
from stages.common.files import save_json
from stages.common.params import read_params

CPU_INFO = Path("/proc/cpuinfo")
FAST = re.compile(r"\b(?:sse4|avx|fma|f16c|amx|asimd|sve|bf16)\w*")


def installed(requirements: list[str]) -> dict[str, str]:
    """Return the version of each package that requirements name, of those that are installed."""
    versions = {}
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        with suppress(metadata.PackageNotFoundError):  # it is for another system
            versions[name] = metadata.version(name)
    return versions


def instructions(cpu_info: str) -> list[str]:
    """Return the names of instruction sets that matter here, from the text of /proc/cpuinfo."""
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", cpu_info, re.MULTILINE)
    return sorted(set(FAST.findall(flags[1]))) if flags else []


def gpus() -> list[str]:
    """Return the names of NVIDIA's GPUs at hand, none where their driver is not."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return found.stdout.splitlines()


def precision_of(network: Path) -> str:
    """Return the dtype policy of a network's convolutions, read from its .keras file."""
    with zipfile.ZipFile(network) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    convolutions = [layer["config"] for layer in layers if layer["class_name"] == "Conv2D"]
    return convolutions[0]["dtype"]["config"]["name"]


def main(pyproject: Path, default: Path, improved: Path, environment: Path) -> None:
    params = read_params()
    threads = params["train"]["threads"]
    declared = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    used = declared["project"]["dependencies"] + declared["dependency-groups"]["gpu"]
    cpu_info = CPU_INFO.read_text(encoding="utf-8") if CPU_INFO.exists() else ""
    save_json(
        environment,
        {
            "python": platform.python_version(),
            "packages": installed(used),
            "system": platform.system(),
            "machine": platform.machine(),
            "instructions": instructions(cpu_info),
            "gpus": gpus(),
            "precision": {"default": precision_of(default), "improved": precision_of(improved)},
            "threads": cpu_count() if threads == "auto" else threads,
        },
    )


if __name__ == "__main__":
    run(main)
