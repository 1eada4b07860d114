import pytest

torch = pytest.importorskip("torch")

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.checkpoint import check_weights, moments, read_checkpoint, read_tensors  # noqa: E402

WEIGHTS = {"a": torch.zeros(2, 3)}
WHOLE = {
    "settings": {"architecture": {"kind": "pixels"}},
    "step": 3,
    "progress": 0.5,
    "network": WEIGHTS,
    "average": WEIGHTS,
}


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", None])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "c.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PainterError, match=r"c\.pt"):
        read_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(PainterError, match="of a painter"):
        read_checkpoint(path)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path):
    torch.save(WHOLE, tmp_path / "c.pt")
    state = read_checkpoint(tmp_path / "c.pt")
    assert state["step"] == 3
    assert torch.equal(state["average"]["a"], WEIGHTS["a"])


@pytest.mark.parametrize(
    "change",
    [
        {"settings": None}, {"settings": {}}, {"settings": {"architecture": "pixels"}},
        {"settings": {"architecture": {"widths": torch.zeros(2)}}}, {"step": "3"}, {"step": -1},
        {"step": torch.zeros(1)}, {"progress": None}, {"progress": float("nan")}, {"network": [1]},
        {"average": {"a": 1}}, {"average": {1: torch.zeros(1)}},
    ],
    ids=str,
)  # fmt: skip
def test_a_checkpoint_of_wrong_types_is_refused(tmp_path, change):
    torch.save(WHOLE | change, tmp_path / "c.pt")
    with pytest.raises(PainterError, match=r"c\.pt: "):
        read_checkpoint(tmp_path / "c.pt")


def test_tensors_without_names_are_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "c.pt")
    assert read_tensors(tmp_path / "c.pt")["a"].shape == (1,)
    endless, sparse = torch.zeros(1).expand(1 << 40), torch.zeros(4, 3).to_sparse()
    for content in ([torch.zeros(1)], {0: torch.zeros(1)}, {"a": 1.0}, {"a": endless}, {"a": sparse}):
        torch.save(content, tmp_path / "c.pt")
        with pytest.raises(PainterError, match="named tensors"):
            read_tensors(tmp_path / "c.pt")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"weight": torch.zeros(4, 2)}, "weight is .4, 2., its architecture says .4, 3."),
        ({"weight": torch.zeros(4, 3, dtype=torch.int32)}, "torch.int32"),
        ({"other": torch.zeros(1)}, "other is .1., its architecture says nothing"),
    ],
    ids=("shape", "type", "name"),
)
def test_weights_of_another_network_are_refused(change, problem):
    with torch.device("meta"):
        network = torch.nn.Linear(3, 4)
    own = {"weight": torch.zeros(4, 3), "bias": torch.zeros(4)}
    check_weights(network, own, "here")
    with pytest.raises(PainterError, match=f"here: .*{problem}"):
        check_weights(network, own | change, "here")


def stepped() -> torch.optim.Optimizer:
    weights = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.AdamW([weights], lr=0.1)
    weights.grad = torch.ones(2)
    optimiser.step()
    return optimiser


def test_an_optimiser_takes_what_it_remembers_and_keeps_how_it_steps():
    optimiser = stepped()
    kept = optimiser.state_dict()
    taken = moments(optimiser, {**kept, "param_groups": [{"lr": 9.0}]}, "here")
    assert taken["state"] == kept["state"]
    assert taken["param_groups"] == kept["param_groups"]


@pytest.mark.parametrize(
    "found",
    [
        None,
        {},
        {"state": {1: {}}},
        {"state": {0: {"exp_avg": torch.zeros(2)}}},
        {"state": {0: {"step": torch.ones(2), "exp_avg": torch.zeros(2), "exp_avg_sq": torch.zeros(2)}}},
        {"state": {0: {"step": torch.ones(()), "exp_avg": torch.zeros(3), "exp_avg_sq": torch.zeros(2)}}},
    ],
)
def test_what_is_remembered_of_other_weights_is_refused(found):
    with pytest.raises(PainterError, match="of other weights"):
        moments(stepped(), found, "here")
