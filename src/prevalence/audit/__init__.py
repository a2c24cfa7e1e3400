"""What a run rests on and made, how two runs differ, and where each number comes from."""
