"""The command line: the only room that reads flags and the environment."""
