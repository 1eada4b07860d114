"""Rate and distortion of the codec beside its peers: ``make bench-codec``."""
