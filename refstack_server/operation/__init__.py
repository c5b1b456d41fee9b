"""What an operator does with the whole data of a server: backup, restore, check."""
