"""Looking at values: what one is in words, and as a picture where it has one."""
