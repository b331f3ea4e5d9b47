-- Marts live in two lasting copies that exchange names; a published version can be taken back.

alter table ops.builds
add column published_at timestamptz, -- when its marts last went live
add column problem text; -- why it failed; texts hold no row's values
update ops.builds set published_at = finished_at where status = 'published';

-- The newest build that is published is the live one; rolled_back: it was live, and an earlier one took its place.
alter table ops.builds drop constraint builds_status_check;
alter table ops.builds add constraint builds_status_check
check (status in ('running', 'published', 'failed', 'rolled_back'));

-- What builds of earlier releases left when they were killed.
drop schema if exists marts_next cascade;
drop schema if exists marts_last cascade;
