"""The pure floor: nouns, verdicts, outcomes, times, draws. It touches no clock, file, socket, database or dice."""
