"""How good the records are: a report by source and month, for people, programs and spreadsheets."""
