"""What training costs, and what one can rely on: measured outside the chain."""
