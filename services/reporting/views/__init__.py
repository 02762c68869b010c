"""Facts and the reports made of them."""
