"""The audience: everybody we know, what they are and what they did; imports, lists, and the loader."""
