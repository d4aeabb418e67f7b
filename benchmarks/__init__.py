"""What gnnmc costs beside what a user would write with the libraries: `python -m benchmarks`, from the repository."""
