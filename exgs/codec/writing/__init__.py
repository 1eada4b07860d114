"""From a pyramid of levels to the bytes of the file; knows no pictures. The decoder stands one room above."""
