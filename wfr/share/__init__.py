"""Ways to pass a case on: plain links, counted by nobody."""
