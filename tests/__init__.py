"""The tests: a folder a chapter, and here those of the project as a whole."""
