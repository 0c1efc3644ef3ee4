"""The Fréchet distance of two sets of features in NumPy and SciPy, for comparison with Langevin.

    python3 frechet_numpy.py ROWS WIDTH BATCH THREADS

Needs NumPy and SciPy. Features are normal, drawn in batches outside the time measured; the second set is shifted by 0.1.
Statistics are running float64 sums (the memory does not grow with ROWS); the distance is the trace formula with
scipy.linalg.sqrtm, which is how pytorch-fid computes it. Prints one line of JSON: seconds, peak memory in bytes, value.
Langevin runs it by itself: dotnet run -c Release --project benchmarks/Langevin.Benchmarks -- frechet
"""
import json
import os
import sys
import time

rows, width, batch, threads = (int(a) for a in sys.argv[1:5])
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import numpy as np  # noqa: E402  (after the thread counts)
from scipy import linalg  # noqa: E402

random = np.random.default_rng(1)
seconds = 0.0


def statistics(shift):
    """Mean and unbiased covariance of a stream of batches."""
    global seconds
    total, outer = np.zeros(width), np.zeros((width, width))
    for _ in range(0, rows, batch):
        features = random.standard_normal((batch, width), dtype=np.float32) + np.float32(shift)
        start = time.perf_counter()
        x = features.astype(np.float64)
        total += x.sum(axis=0)
        outer += x.T @ x
        seconds += time.perf_counter() - start
    start = time.perf_counter()
    mean = total / rows
    covariance = (outer - rows * np.outer(mean, mean)) / (rows - 1)
    seconds += time.perf_counter() - start
    return mean, covariance


m1, s1 = statistics(0.0)
m2, s2 = statistics(0.1)
start = time.perf_counter()
root = linalg.sqrtm(s1 @ s2, disp=False)[0]
value = float(((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * np.trace(root.real))
distance = time.perf_counter() - start
# Not getrusage: its peak survives from the process that started this one.
with open("/proc/self/status", encoding="ascii") as status:
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
print(json.dumps({"statistics": seconds, "distance": distance, "peak": peak, "value": value}))
