"""Tables of cells (CSV, TSV, Excel, OpenDocument) read as MARC records by a mapping template.

A row becomes a line of MARC-in-JSON with the cells as received beside the record, so that everything behind sees a file
of MARC-in-JSON, and a kept record can be read again without the header and the template that it was made by.

- `cells` takes a text apart into rows, `workbook` a spreadsheet;
- `template` is what a template says, `header` finds the row of column names and which template fits it;
- `readings` read a cell (a year, a name), `rows` make a record of a row;
- `opening` puts these together: bytes in, lines out. `ready/` has the templates that come with a node.
"""
