"""Lets the tests of the bitstream share what lies beside them."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "vectors"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
