-- These hold zstd: PostgreSQL need not try to compress them again (a fifth of the inbox's statement time).
alter table inbox alter column payload set storage external;
alter table inbox alter column prepared set storage external;
alter table inbox alter column tallies set storage external;
alter table record alter column body set storage external;
alter table merged alter column content set storage external;
alter table merged alter column outward set storage external;
alter table segment alter column content set storage external;
alter table arriving alter column part set storage external;
alter table received alter column payload set storage external;
