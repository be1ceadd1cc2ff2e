"""Named sets of experiments, and the command that runs them."""
