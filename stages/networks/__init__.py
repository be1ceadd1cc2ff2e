"""Chapter 2, networks: the default one and our own, trained from scratch, and how good they are."""
