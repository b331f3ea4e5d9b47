-- A build goes on from the last one, and reads what was written since.

alter table ops.builds
add column read_until timestamptz, -- rows that were written later are the next build's
add column fingerprint text, -- of models, rules and configuration: what they make of the same rows
add column is_full boolean not null default true; -- it made everything anew

-- Rows are written in the order of their loads, and mostly dated so: a range of pages says whether to look into it.
create index orders_written on raw.orders using brin (loaded_at, ordered_at) with (pages_per_range = 16);
create index order_lines_written on raw.order_lines using brin (loaded_at) with (pages_per_range = 16);
