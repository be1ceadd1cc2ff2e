"""Chapter 1, data: from four CSVs to checked arrays, a part of them kept for validation."""
