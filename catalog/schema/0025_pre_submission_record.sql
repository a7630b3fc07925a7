-- A re-keying gives submissions the new ids of their records: found by record, however many were handed in.

create index submission_record on submission (source, local_id);
