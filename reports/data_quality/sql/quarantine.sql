-- One row per source: what became of the rows of one feed that were put into quarantine up to the day.
select
    %(feed)s as feed,
    source_id,
    count(*) filter (where state = 'open') as rows_waiting,
    count(*) filter (where state = 'replayed') as rows_replayed,
    count(*) filter (where state = 'resolved') as rows_resolved,
    count(*) filter (where state = 'discarded') as rows_discarded
from {quarantine}
where business_day <= %(day)s
group by source_id
