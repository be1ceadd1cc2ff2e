"""Chapter 3, encoding: what an inner layer makes of the test images, and its clusters."""
