"""Time the forecasts, and against a peer, in one run: a table, exit code 1 on a miss.

    .venv/bin/python bench/forecast.py [--customers 1000000] [--sample 20000] [--no-peer] [--json]

Customers are drawn from a Pareto/NBD with Gamma-Gamma spends of known parameters, over two years. One process
fits and scores them all: distinct histories, both purchase models, spends, and what each customer is expected
to bring. The peer is lifetimes' ParetoNBDFitter on a smaller sample, in an environment of its own, with its
defaults; both clocks count the processor's seconds, and start when data and libraries are in memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from peers import peer_python

from winback.config import Forecasts
from winback.score.forecast.fit import fit_purchases, fit_spend
from winback.score.forecast.histories import collapse

MAX_MEMORY_MB = 1500
MIN_SPEEDUP = 20
MAX_DIFFERENCE = 0.0005  # of each parameter, relative: equal to three digits
DAYS = 730
TRUE = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}  # in weeks; those of a real shop, CDNOW
SPEND = {"p": 6.25, "q": 3.74, "gamma": 15.4}
WEEKS = 365 / 7
DISCOUNT = 0.0027  # a week


@dataclass(frozen=True)
class Simulated:
    """Customers, one entry each: repeat purchase days, times in days, mean spend of those days."""

    frequency: Any
    recency_days: Any
    age_days: Any
    mean_spend: Any


def simulate(customers: int, seed: int = 6) -> Simulated:
    """Draw customers; purchases are rounded up to days, as a day is what a shop notes."""
    random = np.random.default_rng(seed)
    age_days = random.integers(0, DAYS, customers)
    rate = random.gamma(TRUE["r"], 1 / TRUE["alpha"], customers)
    leaving = random.gamma(TRUE["s"], 1 / TRUE["beta"], customers)
    life = np.minimum(random.exponential(1, customers) / np.maximum(leaving, 1e-300), age_days / 7)
    frequency = random.poisson(rate * life)
    last = life * random.random(customers) ** (1 / np.maximum(frequency, 1))  # the latest of so many moments
    recency_days = np.where(frequency > 0, np.minimum(np.ceil(last * 7), age_days), 0).astype(np.int64)
    own = random.gamma(SPEND["q"], 1 / SPEND["gamma"], customers)
    total = random.gamma(SPEND["p"] * np.maximum(frequency, 1), 1 / own)
    mean_spend = np.where(frequency > 0, np.round(total / np.maximum(frequency, 1), 2), 0)
    return Simulated(frequency, recency_days, age_days, mean_spend)


def fit_and_score(customers: int) -> dict[str, Any]:
    """Fit and score in this process; return seconds, parameters, and the peak of its memory in MB."""
    drawn = simulate(customers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    histories, place = collapse(drawn.frequency, drawn.recency_days, drawn.age_days)
    purchases = fit_purchases(histories, Forecasts())
    fitted = time.process_time()
    spend, _ = fit_spend(drawn.frequency, drawn.mean_spend)
    spends_fitted = time.process_time()
    model = purchases.model
    orders = model.expected_orders(histories, WEEKS)[place]
    model.p_alive(histories)
    model.discounted_orders(histories, DISCOUNT)
    revenue = orders * spend.expected_spend(drawn.frequency, drawn.mean_spend)
    scored = time.process_time()
    assert purchases.dropout_identified
    assert np.isfinite(revenue).all()
    return {
        "customers": customers,
        "histories": len(histories),
        "fit_seconds": fitted - begun,
        "spend_seconds": spends_fitted - fitted,
        "score_seconds": scored - spends_fitted,
        "seconds": scored - begun,
        "parameters": dict(zip(TRUE, map(float, purchases.pareto_nbd.parameters), strict=True)),
        "log_likelihood": purchases.pareto_nbd.value * customers,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "before_mb": before / 1024,
    }


PEER = """
import json, sys, time
import numpy as np
from lifetimes import ParetoNBDFitter
rows = np.load(sys.argv[1])
np.random.seed(6)  # it begins at random, and from some beginnings ends far from the summit, after minutes
begun = time.process_time()
fitter = ParetoNBDFitter()
fitter.fit(rows["frequency"], rows["recency"], rows["age"])
seconds = time.process_time() - begun
names = ("r", "alpha", "s", "beta")
print(json.dumps({
    "seconds": seconds,
    "parameters": {name: float(fitter.params_[name]) for name in names},
}))
"""


def peer(customers: int, folder: Path) -> dict[str, Any]:
    """Return the seconds and parameters of lifetimes on the same customers, in weeks."""
    drawn = simulate(customers)
    data, script = folder / "customers.npz", folder / "peer.py"
    np.savez(data, frequency=drawn.frequency, recency=drawn.recency_days / 7, age=drawn.age_days / 7)
    script.write_text(PEER, encoding="utf-8")
    done = subprocess.run(
        [str(peer_python()), "-W", "ignore", str(script), str(data)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def in_own_process(customers: int) -> dict[str, Any]:
    """Run fit_and_score in a process that has done nothing else."""
    done = subprocess.run(
        [sys.executable, __file__, "--worker", str(customers)], stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Run, print, and exit with 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=20_000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(fit_and_score(options.worker)))
        return
    found: dict[str, Any] = {"all": in_own_process(options.customers)}
    missed = []
    if found["all"]["memory_mb"] > MAX_MEMORY_MB:
        missed.append("memory")
    if not options.no_peer:
        with tempfile.TemporaryDirectory() as folder:
            found["peer"] = peer(options.sample, Path(folder))
        found["sample"] = in_own_process(options.sample)
        found["speedup"] = found["peer"]["seconds"] / found["sample"]["fit_seconds"]
        ours, theirs = found["sample"]["parameters"], found["peer"]["parameters"]
        found["difference"] = max(abs(ours[name] / theirs[name] - 1) for name in TRUE)
        missed += ["speed"] * (found["speedup"] < MIN_SPEEDUP)
        missed += ["parameters"] * (found["difference"] > MAX_DIFFERENCE)
    print(json.dumps(found) if options.json else as_text(found))
    if missed:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
    sys.exit(bool(missed))


def as_text(found: dict[str, Any]) -> str:
    """Write what was measured; seconds are the processor's."""
    every = found["all"]
    lines = [
        f"{every['customers']:,} customers, {every['histories']:,} histories: {every['seconds']:.1f} s",
        f"  purchases {every['fit_seconds']:.1f}, spends {every['spend_seconds']:.1f}, scores"
        f" {every['score_seconds']:.1f}",
        f"  peak memory {every['memory_mb']:.0f} MB (at most {MAX_MEMORY_MB})",
    ]
    if "peer" in found:
        ours, theirs = found["sample"], found["peer"]
        lines += [
            f"{ours['customers']:,} customers: {ours['fit_seconds']:.2f} s, lifetimes"
            f" {theirs['seconds']:.1f} s",
            f"  {found['speedup']:.0f} times as fast (at least {MIN_SPEEDUP})",
            *(f"  {name} {ours['parameters'][name]:.6g}, {theirs['parameters'][name]:.6g}" for name in TRUE),
            f"  largest difference {found['difference']:.1e} (at most {MAX_DIFFERENCE})",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
