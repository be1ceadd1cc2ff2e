"""Networks described: counted by hand, written the same anywhere."""

from stages.networks import describe_networks, train_default
from tests.helpers import read_json


def test_multiply_adds_are_those_counted_by_hand():
    layers = describe_networks.count_layers(train_default.default_network()).set_index("layer")
    assert layers["multiply_adds"].to_dict() == {
        "rescale": 0,
        "conv_1": 28 * 28 * 9 * 32,
        "pool": 0,
        "conv_2": 14 * 14 * 9 * 32 * 32,
        "flatten": 0,
        "dense": 14 * 14 * 32 * 512,
        "probabilities": 512 * 5,
    }
    assert layers["parameters"].sum() == (9 + 1) * 32 + (9 * 32 + 1) * 32 + 6273 * 512 + 513 * 5


def test_descriptions_are_written_the_same_on_any_terminal(tmp_path, monkeypatch):
    for columns in ("40", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        folder = tmp_path / columns
        describe_networks.main(folder / "texts", folder / "totals.json", folder / "pictures")
    for path in ("texts/default.txt", "texts/improved.txt", "pictures/improved.png"):
        assert (tmp_path / "40" / path).read_bytes() == (tmp_path / "200" / path).read_bytes()
    text = (tmp_path / "40/texts/default.txt").read_text(encoding="utf-8")
    assert "3,211,776" in text
    assert "total" in text
    totals = read_json(tmp_path / "40/totals.json")
    assert totals["default"] == {"parameters": 3_223_909, "multiply_adds": 5_245_952}
