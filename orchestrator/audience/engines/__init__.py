"""Engines that answer segments: where each keeps what, and how it says what plain SQL does not."""
