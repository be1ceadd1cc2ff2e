"""Get the four CSVs: from Fashion-MNIST, relabelled by the twist, or from the course.

Reads   nothing, or the course's CSVs
Does    finds Fashion-MNIST and gives each of its images its mystery label
Writes  x_train.csv y_train.csv x_test.csv y_test.csv: no header, 784 pixels or one label a row
"""

import shutil
from pathlib import Path

from stages.common.command import InputError, run
from stages.common.files import replacing
from stages.common.params import read_params
from stages.data.fashion_mnist import FILES, find_fashion_mnist
from stages.data.twists import give_labels

NUMBERS = [str(byte) for byte in range(256)]


def find_course_file(course: Path, name: str) -> Path:
    """Return the path of `name`.csv or `name`.csv.gz in the folder `course`.

    Raises:
        InputError: there is neither, or both; a file of nearly that name is named.
    """
    found = [path for path in (course / f"{name}.csv", course / f"{name}.csv.gz") if path.exists()]
    if len(found) == 2:
        raise InputError(f"{course} has both {name}.csv and {name}.csv.gz: keep one of them")
    if found:
        return found[0]
    nearly = [path for path in sorted(course.glob("*")) if is_nearly(path.name, name)]
    if nearly:
        unpack = "unpack" if nearly[0].suffix in (".zip", ".7z", ".rar", ".tar") else "rename"
        raise InputError(f"{course / name}.csv is missing, found {nearly[0].name}: {unpack} it")
    raise InputError(
        f"{course / name}.csv is missing: put the course's four CSVs into {course}; for"
        f" `dvc exp run --temp` or `--queue` also run `dvc add --glob {course}/*.csv`"
        f" and `git add {course}`"
    )


def is_nearly(file: str, name: str) -> bool:
    """Whether a file is called `name` but for capitals, marks between its words, and its ending."""
    letters = "".join(filter(str.isalnum, file.lower()))
    return letters.startswith(name.replace("_", ""))


def main(course: Path, raw: Path) -> None:
    params = read_params()
    if params["fetch"]["source"] == "course":
        files = {name: find_course_file(course, name) for name in FILES}
        for name, path in files.items():
            with (
                path.open("rb") as source,
                replacing(raw / f"{name}.csv") as part,
                part.open("wb") as copy,
            ):
                shutil.copyfileobj(source, copy)
        print(f"fetch: the course's CSVs from {course}")
        return
    arrays = find_fashion_mnist()
    for split in ("train", "test"):
        images, classes = arrays[f"x_{split}"], arrays[f"y_{split}"]
        arrays[f"y_{split}"] = give_labels(params["fetch"]["twist"], images, classes)
    for name, values in arrays.items():
        print(f"fetch: writing {raw / name}.csv", flush=True)
        with (
            replacing(raw / f"{name}.csv") as part,
            part.open("w", encoding="utf-8", newline="\n") as file,
        ):
            # A row of pixels, or one label, is bytes: four times as fast as pandas.
            file.writelines(
                ",".join(map(NUMBERS.__getitem__, row.tobytes())) + "\n" for row in values
            )


if __name__ == "__main__":
    run(main)
