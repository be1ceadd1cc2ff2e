"""What three chapters or more use."""
