import subprocess
import sys

import numpy as np

from exgs.client.optics import Optics
from exgs.client.poses import HEAD_AXES
from exgs.client.sample import SAMPLE
from exgs.client.snapshots import visible_splats
from exgs.codec import decode


def test_the_sample_decodes_and_is_in_view():
    scene = decode(SAMPLE)
    assert len(scene) == 8
    assert scene.sh_degree == 1 and np.abs(scene.shN).max() > 0
    assert visible_splats(scene, Optics((640, 360), 1.0).eyes(HEAD_AXES)) == 8


def test_a_client_never_loads_the_encoder():
    code = (
        "import sys, exgs.client.session; print(sorted(n for n in sys.modules if n.startswith('exgs.codec')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "exgs.codec.decoder" in done.stdout
    assert "exgs.codec.encoding" not in done.stdout and "exgs.codec.writing" not in done.stdout
