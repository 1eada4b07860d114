import pytest

torch = pytest.importorskip("torch")

from exgs.training.learner import Learner, Settings, schedule  # noqa: E402

SETTINGS = Settings({"kind": "line"}, rate=0.1, warmup=0.1, decay=0.0, average=0.9)


class Refusal(Exception):
    pass


def started(settings: Settings = SETTINGS) -> Learner:
    network = torch.nn.Linear(3, 2)
    with torch.no_grad():
        network.weight.fill_(1.0)
        network.bias.fill_(1.0)
    groups = ({"params": [network.weight]}, {"params": [network.bias], "share": 0.01})
    return Learner(settings, network, groups, error=Refusal)


def step(learner: Learner, scale: float = 1.0) -> None:
    learner.descend(scale * learner.network(torch.ones(1, 3)).square().sum(), 0.1)


def test_the_rate_rises_and_falls():
    rates = [schedule(progress / 100, 0.1) for progress in range(101)]
    assert rates.index(max(rates)) == 10 and max(rates) == pytest.approx(1)
    assert rates[0] < 0.02 and rates[-1] == pytest.approx(0.01)


def test_each_group_gets_its_share_of_the_rate_and_the_average_follows():
    learner = started()
    step(learner)
    moved = [1 - float(weights.detach().mean()) for weights in (learner.network.weight, learner.network.bias)]
    assert moved == pytest.approx([0.1, 0.001], rel=1e-3)
    assert 1 - float(learner.average.weight.mean()) == pytest.approx(0.9 * 0.1, rel=1e-3)
    assert (learner.step, learner.progress) == (1, 0.1)


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_moves_nothing(scale):
    learner = started()
    step(learner, scale)
    assert learner.step == 1
    for network in (learner.network, learner.average):
        assert all((weights == 1).all() for weights in network.parameters())


def test_learning_goes_on_as_if_it_had_never_stopped(tmp_path):
    whole, cut = started(), started()
    for _ in range(2):
        step(whole)
    step(cut)
    cut.save(tmp_path / "a.pt")
    rest = started()
    rest.resume(tmp_path / "a.pt")
    assert (rest.step, rest.progress) == (1, 0.1)
    step(rest)
    for one, other in ((whole.network, rest.network), (whole.average, rest.average)):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def changed(tmp_path, **optimiser):
    learner = started()
    step(learner)
    learner.save(tmp_path / "a.pt")
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    state["optimiser"] |= optimiser
    torch.save(state, tmp_path / "b.pt")
    return tmp_path / "b.pt"


def test_what_the_optimiser_remembers_is_of_the_weights(tmp_path):
    path, learner = changed(tmp_path, state={0: {"exp_avg": torch.zeros(3)}}), started()
    with pytest.raises(Refusal, match=r"b\.pt: .* of the optimiser is of other weights"):
        learner.resume(path)
    assert learner.step == 0 and (learner.network.weight == 1).all()


def test_how_to_step_is_not_a_checkpoint_s_to_say(tmp_path):
    learner = started()
    learner.resume(changed(tmp_path, param_groups=[{"params": "all", "betas": "none"}]))
    step(learner)
    assert learner.step == 2 and learner.network.weight.isfinite().all()


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    started().save(tmp_path / "a.pt")
    other = started(Settings({"kind": "plane"}, rate=0.1, warmup=0.1, decay=0.0, average=0.9))
    with pytest.raises(Refusal, match="another network"):
        other.resume(tmp_path / "a.pt")
