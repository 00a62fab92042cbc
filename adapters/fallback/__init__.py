"""What stands in for Cal.com: full fallback, the mode that follows from it, and what was answered from where."""
