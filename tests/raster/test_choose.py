"""Which rasteriser is taken, and what is said of it."""

import pytest

from exgs.raster import RASTERIZERS, RasterizerError, choose_rasterizer, rasterizer_report
from exgs.raster.cuda import cuda_problem
from tests.raster.scenes import camera, cloud


def test_every_rasterizer_has_a_name_and_draws() -> None:
    for name in ("cpu", "twin"):
        backend = choose_rasterizer(name)
        assert backend.name == name
        assert backend.render(cloud(20), [camera((16, 16))]).alpha.max() > 0


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=", ".join(RASTERIZERS)):
        choose_rasterizer("vulkan")


def test_auto_takes_what_the_report_says_and_the_report_says_why() -> None:
    report = rasterizer_report()
    assert choose_rasterizer("auto").name == report.name
    assert len(report.reason) > 20


def test_without_cuda_the_cpu_is_taken_and_cuda_is_refused_with_the_reason() -> None:
    problem = cuda_problem()
    if problem is None:
        pytest.skip("CUDA works here")
    assert choose_rasterizer("auto").name == "cpu"
    with pytest.raises(RasterizerError) as raised:
        choose_rasterizer("cuda")
    assert problem in str(raised.value)


def test_the_wait_for_the_compiler_is_announced_once_and_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr("exgs.raster.cpu.all_compiled", lambda kernels: False)
    backend = choose_rasterizer("cpu", on_compile=said.append)
    for _ in range(2):
        backend.render(cloud(3), [camera((8, 8))])
    assert len(said) == 1 and "compiling" in said[0]
    monkeypatch.setattr("exgs.raster.cpu.all_compiled", lambda kernels: True)
    choose_rasterizer("cpu", on_compile=said.append).render(cloud(3), [camera((8, 8))])
    assert len(said) == 1
