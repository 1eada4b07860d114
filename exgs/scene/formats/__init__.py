"""The file formats of the world: one module per format, chosen by magic bytes."""
