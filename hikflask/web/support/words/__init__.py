"""Words for what is known of a terminal, which pages of several subjects say."""
