"""Chapter 5, hand-in: the report, the notebook and the comparison of sweeps."""
