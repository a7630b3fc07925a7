-- An undone load takes back the submissions that it brought: found by load, however many there are.

create index submission_merged on submission (load) where state = 'merged';
