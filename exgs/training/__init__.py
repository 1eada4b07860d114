"""What the training of any network needs: data on disk, checkpoints, steps. Needs torch for the last two."""
