"""Paper: a letter for a case, cards, handwriting sheets, and the e-mail as a file."""
