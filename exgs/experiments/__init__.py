"""Where streaming is put to the test: links as bad as real ones, on any clock."""
