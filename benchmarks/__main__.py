"""Measure rows and write what came of it.

python -m benchmarks                                  every row
python -m benchmarks profile train-gcn-cora           groups and rows by name
python -m benchmarks --quick --out /tmp/benchmarks    everything small, to see whether it runs
"""

from benchmarks.command import main

if __name__ == "__main__":
    main()
