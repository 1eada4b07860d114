import pytest

torch = pytest.importorskip("torch")

from exgs.training.checkpoint import moments, network_from, read_checkpoint, read_tensors  # noqa: E402


class Refusal(Exception):
    pass


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
    with pytest.raises(Refusal, match=r"c\.pt"):
        read_checkpoint(path, Refusal)
    torch.save([1, 2], path)
    with pytest.raises(Refusal, match="not a checkpoint"):
        read_checkpoint(path, Refusal)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path):
    torch.save(WHOLE, tmp_path / "c.pt")
    state = read_checkpoint(tmp_path / "c.pt", Refusal)
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
    with pytest.raises(Refusal, match=r"c\.pt: "):
        read_checkpoint(tmp_path / "c.pt", Refusal)


def test_tensors_without_names_are_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "c.pt")
    assert read_tensors(tmp_path / "c.pt", Refusal)["a"].shape == (1,)
    endless, sparse = torch.zeros(1).expand(1 << 40), torch.zeros(4, 3).to_sparse()
    for content in ([torch.zeros(1)], {0: torch.zeros(1)}, {"a": 1.0}, {"a": endless}, {"a": sparse}):
        torch.save(content, tmp_path / "c.pt")
        with pytest.raises(Refusal, match="named tensors"):
            read_tensors(tmp_path / "c.pt", Refusal)


def test_what_is_shipped_is_the_average_in_float16():
    average = {"weight": torch.tensor([[1.00001]]), "bias": torch.tensor([3.0])}
    state = {"settings": {"architecture": {"in_features": 1, "out_features": 1}}, "average": average}
    network = network_from(state, lambda given: torch.nn.Linear(**given), Refusal)
    assert not network.training
    for name, value in network.state_dict().items():
        assert value.dtype == torch.float32 and torch.equal(value, average[name].half().float())
    state["settings"]["architecture"]["out_features"] = 2
    with pytest.raises(Refusal, match=r"the checkpoint: bias is \[1\], its architecture says \[2\]"):
        network_from(state, lambda given: torch.nn.Linear(**given), Refusal)


def stepped() -> torch.optim.Optimizer:
    weights = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.AdamW([weights], lr=0.1)
    weights.grad = torch.ones(2)
    optimiser.step()
    return optimiser


def test_an_optimiser_takes_what_it_remembers_and_keeps_how_it_steps():
    optimiser = stepped()
    kept = optimiser.state_dict()
    taken = moments(optimiser, {**kept, "param_groups": [{"lr": 9.0}]}, "here", Refusal)
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
    with pytest.raises(Refusal, match="of other weights"):
        moments(stepped(), found, "here", Refusal)
