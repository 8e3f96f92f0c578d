"""Where systems look for a video link: one small strategy each."""
