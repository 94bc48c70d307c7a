"""The Urgent Action Network: its members, its Urgent Actions, and the mailings that reach everybody once."""
