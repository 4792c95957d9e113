"""micro_bench: a team's own tickets as a private benchmark for coding agents."""
