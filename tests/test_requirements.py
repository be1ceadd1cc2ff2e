"""The pinned requirements: what runs on a GPU is what runs without one."""

import re
import tomllib

from tests.helpers import ROOT


def pins(name: str) -> dict[str, str]:
    """The version of each package that a file pins."""
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))


def test_on_a_gpu_the_same_versions_run_but_for_tensorflows_build():
    cpu, gpu = pins("requirements.txt"), pins("requirements-gpu.txt")
    assert {
        name: version for name, version in gpu.items() if cpu.get(name, version) != version
    } == {}
    assert gpu["tensorflow"] == cpu["tensorflow-cpu"]
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12"} <= set(gpu) - set(cpu)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[\w.-]+", one)[0] for one in declared} <= set(gpu)


def test_every_pin_has_a_hash():
    for name in ("requirements.txt", "requirements-gpu.txt"):
        blocks = re.split(r"^(?=[\w.-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in block for block in blocks)
