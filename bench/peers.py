"""The environment of the packages that benchmarks compare with: their pins would not fit with Winback's."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def peer_python() -> Path:
    """Return the Python that has requirements/bench.txt; the first call makes it."""
    home = _ROOT / ".winback" / "bench"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python), "--require-hashes",
             "-r", str(_ROOT / "requirements" / "bench.txt")],
            check=True,
        )  # fmt: skip
    return python
