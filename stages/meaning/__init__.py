"""Chapter 4, meaning: what the labels follow, and how it was found out."""
