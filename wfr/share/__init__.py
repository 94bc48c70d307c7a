"""A case passed on: share links, words and pictures for other people's feeds, the campaign's account on X."""
