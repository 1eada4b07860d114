"""Opens scenes, decides what each viewer needs next, feeds the pipe."""
