"""Commands on those who log in: users, operators, and what operators approve for each other."""
