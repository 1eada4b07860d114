"""The tensors of a file are those of an architecture, or nothing is made of them."""

import pytest

torch = pytest.importorskip("torch")

from exgs.weights.tensors import assemble, check_weights  # noqa: E402


class Refusal(Exception):
    pass


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
    check_weights(network, own, "here", Refusal)
    with pytest.raises(Refusal, match=f"here: .*{problem}"):
        check_weights(network, own | change, "here", Refusal)


def test_a_network_that_no_file_can_fill_is_refused():
    class Odd(torch.nn.Linear):
        def __init__(self):
            super().__init__(1, 1)
            self.register_buffer("hidden", torch.zeros(1), persistent=False)

    found = {"weight": torch.zeros(1, 1), "bias": torch.zeros(1)}
    with pytest.raises(Refusal, match="here: its architecture has parts that no file of weights holds"):
        assemble(lambda given: Odd(), {}, found, "here", Refusal)
