"""People judge: a page, their votes, and what the votes say."""
