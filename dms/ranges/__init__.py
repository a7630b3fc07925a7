"""What a library holds of a serial or a set, as ranges (pure).

`model` has the value `Held`, which can be united, lessened and asked; `reading` makes it of a statement in any of the
usual hands (words and numbers: `tokens`, one part of a list: `runs`); `writing` gives the one normal form, in the
manner of ANSI/NISO Z39.71 or in Chinese. Imports nothing of ours.
"""
