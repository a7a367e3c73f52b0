"""Where the floors are put together: settings, URLs and the servers' entry points."""
