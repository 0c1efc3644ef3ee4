"""The optimal matching of two point clouds by SciPy, for comparison with Langevin.

    python3 emd_scipy.py FILE POINTS

Needs NumPy and SciPy. FILE holds two clouds of POINTS points in three dimensions as float64 numbers. The costs are Euclidean
distances, computed outside the time measured. Prints one line of JSON: seconds of linear_sum_assignment, mean cost of a pair.
Langevin runs it by itself: dotnet run -c Release --project benchmarks/Langevin.Benchmarks -- emd
"""
import json
import sys
import time

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

first, second = np.fromfile(sys.argv[1]).reshape(2, int(sys.argv[2]), 3)
costs = cdist(first, second)
start = time.perf_counter()
rows, columns = linear_sum_assignment(costs)
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "value": float(costs[rows, columns].mean())}))
