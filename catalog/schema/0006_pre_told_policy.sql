-- What is published to a peer may change: then everything is looked at anew, and told or taken back.
alter table outgoing add column policy text not null default '';  -- under which it was told; '' = nothing yet
