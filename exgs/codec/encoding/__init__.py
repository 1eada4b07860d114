"""From a scene to a pyramid of levels that looks like it: merging, refit, rate; knows pictures."""
